"""Print video and sound of a third party, the address being the data.

Way: browser
Control: JupyterLab at the stock hub, where the third party hears it
Held by: `media-src` and `img-src` let no other origin in; from tier 2 on printed markup keeps no such element
"""

OUTPUT = """
<video src="THIRD/secret.mp4" poster="THIRD/secret.png" autoplay></video>
<audio src="THIRD/secret.mp3" autoplay preload="auto"></audio>
<video crossorigin="anonymous"><track default src="THIRD/secret.vtt"></video>
"""


def test_control_the_third_party_hears_it(stock_screen, third_party) -> None:
    stock_screen.show(OUTPUT, third_party)
    third_party.hears("secret")


def test_the_third_party_hears_nothing(any_screen, third_party) -> None:
    any_screen.show(OUTPUT, third_party)
    third_party.hears_nothing()
