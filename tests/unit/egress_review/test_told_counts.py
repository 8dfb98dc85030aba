"""Counts in sentences, lists, trees and printed arrays; and sentences that count nobody."""

import pytest

from egress_review.told_counts import told


def numbers(text: str) -> list[int]:
    return sorted({found.number for found in told(text)})


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Three patients in the treated arm died, and two were lost to follow-up.", [2, 3]),
        ("The mutation was found in the youngest group (n=4).", [4]),
        ("Among the 1{,}204 participants, 6 (0.5\\%) reported self-harm.", [6, 1204]),
        ("# CONSORT\n\n- Excluded: 104\n  - Declined: 99\n  - Died before randomisation: 5\n", [5, 99, 104]),
        ("counts:\n  north: 412\n  south: 3\n", [3, 412]),
        ("Counter({'I21': 412, 'G35': 4})", [4, 412]),
        ("class balance: {0: 4210, 1: 6}", [6, 4210]),
        ("|--- age <= 34\n|   |--- class: 0  samples = 3  value = [3, 0]\n", [0, 3]),
        ("|   |--- weights: [3.00, 120.00] class: 0\n", [3, 120]),
        ("(array([120, 310, 2]), array([ 0., 10., 20., 30.]))", [2, 120, 310]),
        ("Confusion matrix:\n[[812  14]\n [  3 171]]\n", [3, 14, 171, 812]),
    ],
)
def test_counts_outside_tables(text: str, found: list[int]) -> None:
    assert numbers(text) == found


@pytest.mark.parametrize(
    "text",
    [
        "We used 3 regression models with 5-fold cross-validation in 4 regions over 8 years.",
        "One patient in ten is readmitted; two people per household were asked.",
        "import pandas as pd\nprint(d.head(n=5))\nfor i in range(3):\n    print(3)\n",
        "INFO seed 7\nINFO 4 workers\nINFO wrote table_2.csv\n",
        "max_depth: 6\nmin_samples_leaf: 20\nseed: 7\n",
        "Mean age 54 (11), median stay 4 [2, 9].",
        "chi2 = 14.21, dof = 4, p = 0.0067",
    ],
)
def test_sentences_that_count_nobody(text: str) -> None:
    assert numbers(text) == []


def test_only_what_leaves_no_doubt_is_certain() -> None:
    (sentence,) = told("Three patients died.")
    (named,) = told("The group was small (n = 3).")
    assert (sentence.certain, named.certain) == (False, True)
