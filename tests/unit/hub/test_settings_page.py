"""Every setting has its line in the docs, and the page is what the code says."""

import importlib.util
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]


def generator():
    spec = importlib.util.spec_from_file_location("generate_settings", ROOT / "docs" / "generate_settings.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_setting_has_its_meaning_and_no_meaning_is_of_a_setting_that_is_gone() -> None:
    made = generator()
    assert set(made.MEANING) == set(made.settings_of(made.Settings))


def test_the_page_is_up_to_date() -> None:
    made = generator()
    assert made.page() == made.PAGE.read_text(), "run: python docs/generate_settings.py"
