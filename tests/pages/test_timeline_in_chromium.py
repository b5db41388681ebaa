"""The timeline's page as a reader meets it: opened from the disk in headless Chromium, moved, played, looked at."""

from urllib.parse import quote

import numpy as np
import pytest
from chromium import Browser
from log_folders import CAM, COLUMNS, FINE, PICTURE, SIGNED, cell, frame, log_folder, photo, row

from kerasviz.inputs.fitting import Fit
from kerasviz.pages.timeline import write_page
from kerasviz.pictures.colormaps import colour
from kerasviz.pictures.overlays import overlay
from kerasviz.pictures.scales import Scale
from kerasviz.timelines.frames import Cell
from kerasviz.timelines.layout import Row

NOW = "document.getElementById('now').textContent"
WHOLE = Fit((96, 120), (64, 64))
CROPPED = Fit((96, 120), (64, 64), "crop")
PADDED = Fit((120, 60), (64, 64), "pad")


@pytest.fixture(scope="module")
def chromium(tmp_path_factory):
    browser = Browser(tmp_path_factory.mktemp("chromium"))
    yield browser
    browser.driver.quit()


@pytest.fixture
def browser(chromium):
    """Nothing may stand in the console when a test ends."""
    chromium.complaints()
    yield chromium
    assert chromium.complaints() == []


@pytest.fixture(scope="module")
def three(tmp_path_factory):
    """A page of three dumps, of epochs 0, 5 and 10."""
    return write_page(log_folder(tmp_path_factory.mktemp("three"), 3, every=5))


def test_the_page_opens_at_the_last_dump_and_asks_nobody(browser, three):
    browser.open(three)
    assert browser.text("#now") == "epoch 10"
    assert browser.text("#facts") == "tiny, 10 epochs, 3 dumps"
    heads = browser.run("[...document.querySelectorAll('#heads b')].map(b => b.innerText)")
    assert heads == ["Photograph", "Grad-CAM", "CAM", "Saliency"]
    assert browser.text(".row h2") == "bee"
    assert browser.text(".sure").endswith("p 0.50, predicted")
    assert browser.text(".row .guess").split("\n")[:2] == ["bee", "0.50"]
    assert browser.text(".row figure:nth-of-type(2) figcaption").split("\n") == [
        "max 1.0 of 1.0",
        "score 1.50",
        "moved 0.25",
    ]
    figures = browser.run("[...document.querySelectorAll('#metrics .metric')].map(m => m.innerText.split('\\n'))")
    assert figures[1:] == [["Loss", "0.200", "validation", "0.210"], ["Accuracy", "0.910", "validation", "0.905"]]
    requests = browser.run("performance.getEntriesByType('resource').map(e => e.name)")
    assert [name for name in requests if not name.startswith(("data:", "blob:"))] == []


def test_the_slider_stops_at_stored_dumps_only(browser, three):
    browser.open(three)
    slide = (
        "(v => {{ const s = document.getElementById('time'); s.value = v; s.dispatchEvent(new Event('input'));"
        " s.dispatchEvent(new Event('change')); return [+s.value, {now}] }})({at})"
    )
    before = browser.pixels(0, 0)
    for at, stop in ((6.9, 5), (0.4, 0), (8, 10), (4, 5)):
        assert browser.run(slide.format(at=at, now=NOW)) == [stop, f"epoch {stop}"]
    browser.drawn()
    assert np.abs(before.astype(int) - browser.pixels(0, 0)).max() > 5
    assert browser.run("document.querySelectorAll('#axis .stop').length") == 1
    assert browser.run("document.querySelector('#axis .none').getAttribute('d').split('M').length - 1") == 8
    assert browser.run("document.querySelector('#axis .stop').getAttribute('d').split('M').length - 1") == 3


def test_the_curves_are_a_slider_too(browser, three):
    from selenium.webdriver import ActionChains

    browser.open(three)
    plots = browser.driver.find_element("css selector", "#plots")
    wide = browser.run("document.getElementById('plots').clientWidth")
    ActionChains(browser.driver).move_to_element_with_offset(plots, -wide // 2 + 12, 0).click_and_hold().perform()
    assert browser.run(NOW) == "epoch 0"
    ActionChains(browser.driver).move_by_offset(wide // 2, 0).release().perform()
    assert browser.run(NOW) == "epoch 5"


def test_play_goes_to_the_end_and_stops(browser, three):
    browser.open(three, "#at=epoch_0000")
    browser.click("#play")
    assert "Pause" in browser.text("#play")
    browser.until(f"{NOW} === 'epoch 5'")
    browser.until(f"{NOW} === 'epoch 10'")
    browser.until("document.getElementById('play').textContent.includes('Play')")
    browser.keys(" ")  # from the end it begins again
    browser.until(f"{NOW} === 'epoch 5'")
    browser.keys(" ")
    assert browser.run("timer") == 0


def test_keys(browser, three):
    browser.open(three)
    for key, now in (
        ("ARROW_LEFT", 5),
        ("ARROW_LEFT", 0),
        ("ARROW_LEFT", 0),
        ("ARROW_RIGHT", 5),
        ("HOME", 0),
        ("END", 10),
    ):
        browser.keys(key)
        assert browser.run(NOW) == f"epoch {now}"
    browser.keys("ARROW_DOWN", on="#time")
    assert browser.run(NOW) == "epoch 5"
    for view in ("heatmap", "photograph", "overlay"):
        browser.keys("v")
        assert browser.run("document.querySelector('[name=view]:checked').value") == view
    browser.keys("s", "T")
    assert browser.run("[state.scale, document.documentElement.dataset.theme]") == ["own", "dark"]
    browser.keys("?")
    assert browser.run("document.getElementById('keys').open")
    browser.keys("v", "ESCAPE")
    assert browser.run("[document.getElementById('keys').open, state.view]") == [False, "overlay"]


def test_the_address_holds_what_is_shown(browser, three):
    browser.open(three)
    assert browser.run("location.hash") == ""
    browser.keys("HOME", "v", "s", "t")
    address = browser.run("location.hash")
    assert address == "#at=epoch_0000&view=heatmap&scale=own&theme=dark"
    shown = browser.pixels(0, 0)
    browser.open(three, address)
    assert browser.run(NOW) == "epoch 0"
    np.testing.assert_array_equal(browser.pixels(0, 0), shown)
    browser.run("location.hash = '#at=epoch_0005&view=nonsense'")
    browser.until(f"{NOW} === 'epoch 5'")
    assert browser.run("state.view") == "overlay"


@pytest.fixture(scope="module")
def kinds(tmp_path_factory):
    """Whole, cropped and padded photographs; coarse, signed and fine maps; two dumps of different limits."""
    rows = [
        row("whole.jpg", "bee", seed=3, fit=WHOLE),
        row("crop.jpg", "bee", seed=4, fit=CROPPED),
        row("pad.jpg", "bee", seed=5, fit=PADDED),
    ]
    return write_page(log_folder(tmp_path_factory.mktemp("kinds"), 2, rows=rows))


def expected(column, k, fit, state):
    """What our own pictures show: of the first dump, limit 0.5, on the scale of both, 0.75, or its own."""
    made = Cell.of(cell(column, 0, k).plain())  # both as they come out of the page's own bytes
    picture = Row.of(row(seed=3 + k, fit=fit).plain()).photo
    limit = made.limit if "scale=own" in state else 0.75
    lone, dark = "view=heatmap" in state or column.alone, "theme=dark" in state
    placed = fit.place(made.values(column.signed), picture.shape[:2], nearest=lone and not column.alone)
    if not lone:
        return overlay(picture, placed, Scale(0, limit), colormap=column.colormap, signed=column.signed)
    name = {"ink": "grey" if dark else "ink"}.get(column.paper, column.paper)
    shown = colour(placed, limit, name, signed=column.signed)
    shown[np.isnan(placed)] = (0x1D, 0x20, 0x24) if dark else (0xF0, 0xF2, 0xF4)
    return shown


@pytest.mark.parametrize("state", ["", "&scale=own", "&view=heatmap", "&view=heatmap&theme=dark&scale=own"])
def test_the_canvas_holds_what_our_pictures_hold(browser, kinds, state):
    browser.open(kinds, f"#at=epoch_0000{state}")
    for k, fit in enumerate((WHOLE, CROPPED, PADDED)):
        for number, column in enumerate(COLUMNS):
            shown, wanted = browser.pixels(k, number), expected(column, k, fit, state)
            assert shown.shape == wanted.shape == (*fit.photo_size, 3)
            apart = np.abs(shown.astype(int) - wanted)
            assert apart.mean() < 0.5, (column.key, fit.how)
            assert np.percentile(apart, 99.9) <= 4, (column.key, fit.how)  # an edge of cells may fall on the next pixel


def test_the_photograph_is_the_photograph(browser, kinds):
    browser.open(kinds, "#view=photograph")
    assert np.abs(browser.pixels(0, 0).astype(int) - photo(3)).mean() < 3  # WebP


def test_hover_reads_the_value(browser, kinds):
    from selenium.webdriver import ActionChains

    browser.open(kinds, "#at=epoch_0000")
    figure = browser.driver.find_elements("css selector", ".row:nth-of-type(2) figure .sheet")[1]
    left = figure.size["width"] // 2
    ActionChains(browser.driver).move_to_element(figure).perform()
    share = cell(CAM, 0, 1).share[2, 3] / 255
    assert browser.text("#tip") == f"{0.5 * share:.2g} logit\ncell 3, 2"
    ActionChains(browser.driver).move_to_element_with_offset(figure, 3 - left, 0).perform()
    assert browser.text("#tip") == "not seen by the network"


def test_dark_follows_the_system(browser, kinds):
    paper = "getComputedStyle(document.body).backgroundColor"
    browser.open(kinds)
    light = browser.pixels(0, 2)
    assert browser.run(paper) == "rgb(255, 255, 255)"
    browser.open(kinds, prefers_color_scheme="dark")
    assert browser.run(paper) == "rgb(21, 23, 26)"
    assert np.corrcoef(light.ravel(), browser.pixels(0, 2).ravel())[0, 1] < -0.99  # ink on white, light on black
    browser.click("#theme")
    assert browser.run(paper) == "rgb(255, 255, 255)"


def test_failures_empty_maps_and_gaps_are_said(browser, tmp_path):
    def make(column, number, k):
        if column is SIGNED:
            return Cell(failed=True, note="CAM needs global average pooling. Use gradcam.")
        if column is CAM:
            return Cell(share=np.zeros((5, 7), np.uint8), note="Nothing speaks for it.") if k == 0 else None
        return cell(column, number, k)

    browser.open(write_page(log_folder(tmp_path, 2, make=make, rows=[row(fit=WHOLE), row("b.jpg", "", seed=2)])))
    grey = overlay(photo(0), np.zeros((96, 120), np.float32), Scale(0, 0))
    assert np.abs(browser.pixels(0, 0).astype(int) - grey).mean() < 3
    said = browser.run("LAYOUT.rows.map(r => r.figures.map(f => f.box.innerText.trim()))")
    assert said[0][0].split("\n") == ["all 0", "moved 0.50", "Nothing speaks for it."]
    assert said[0][1].split("\n") == ["failed", "CAM needs global average pooling. Use gradcam."]
    assert said[1][0] == "Not asked about this picture."
    assert browser.run("[...document.querySelectorAll('.row h2')].map(h => h.innerText)") == ["bee", "b.jpg"]
    browser.keys("v")
    words = browser.run("LAYOUT.rows[0].figures[0].box.innerText.trim().split('\\n')")
    assert words == ["Nothing speaks for it.", "all 0", "moved 0.50"]


def test_pictures_boxes_and_a_network_without_a_photograph(browser, tmp_path):
    bare = row("network", "")
    bare = type(bare)(**{**vars(bare), "photo": np.zeros((0, 0, 3), np.uint8)})
    boxed = row(boxes=[(0.25, 0.5, 0.75, 1.0)])

    def make(column, number, k):
        if column is PICTURE:
            return Cell(picture=photo(number, (30, 60))) if k else None
        return cell(column, number, k)

    browser.open(write_page(log_folder(tmp_path, 2, rows=[boxed, bare], columns=[CAM, PICTURE], make=make)))
    assert browser.run("[...document.querySelectorAll('.box')].map(b => b.checkVisibility())") == [False] * 3
    browser.keys("b")
    assert browser.run("[...document.querySelectorAll('.box')].map(b => b.checkVisibility())") == [True, True, False]
    around = browser.run("(r => [r.width, r.height])(document.querySelector('.box .over').getBoundingClientRect())")
    sheet = browser.run("(r => [r.width, r.height])(document.querySelector('.sheet').getBoundingClientRect())")
    assert np.abs(np.array(around) / sheet - 0.5).max() < 0.03
    assert browser.run("LAYOUT.rows[1].figures[1].image.naturalWidth") == 60
    alone = browser.pixels(1, 0)
    assert alone.shape[0] / alone.shape[1] == pytest.approx(5 / 7, abs=0.02)
    browser.click(".row:nth-of-type(1) button.sheet")
    assert browser.text("#large-title") == "bee, Grad-CAM, true class"
    browser.keys("ARROW_LEFT")
    assert browser.text("#large small") == "epoch 0"
    browser.click("#large form button")
    assert not browser.run("document.getElementById('large').open")


def test_names_of_strangers_do_nothing(browser, tmp_path):
    name = (
        "</script><img src=x onerror=\"document.title='hacked'\"><svg onload=document.title='hacked'> 'quotes\" & 한국"
    )
    columns = [
        type(CAM)(
            **{**vars(CAM), "title": name, "question": name, "words": name, "unit": name, "colormap": "__proto__"}
        )
    ]
    timeline = log_folder(
        tmp_path,
        2,
        rows=[row(name, name)],
        columns=columns,
        model=name,
        make=lambda c, n, k: cell(CAM, n, k, note=name),
    )
    timeline.epoch(2, {name: 1.0})
    browser.open(write_page(timeline))
    assert browser.run("document.title") == f"Timeline of {name}"
    assert browser.text(".row h2") == name
    assert browser.run("document.querySelectorAll('img').length") == 2  # the photograph, and a figure's own
    browser.open(tmp_path / "timeline.html", "#at=" + quote(name) + "&view=" + quote(name))
    assert browser.run(NOW) == "epoch 1"


def test_two_hundred_dumps_are_as_quick_as_three(browser, tmp_path):
    rows = [row(f"{k}.jpg", "bee", seed=k) for k in range(16)]
    browser.open(write_page(log_folder(tmp_path, 200, rows=rows)))
    assert browser.run(NOW) == "epoch 199"
    drawn = "LAYOUT.rows.filter(row => row.drawn === stamp()).length"
    browser.wait("go(20)")
    assert browser.run(f"{NOW} === 'epoch 20' && inSight.size < 16 && {drawn} <= inSight.size")
    browser.wait("(async () => { for (let k = 0; k < 60; k++) await go(3 * k) })()")
    assert browser.run("frames.size === KEPT && KEPT <= 32")  # the others are text again
    browser.drawn()
    assert browser.run(drawn) == 16
    browser.keys("END")
    assert browser.run("document.querySelector('#metrics b').textContent") == "0.0101"
    browser.run("scrollTo(0, 1e6)")
    browser.keys("HOME")
    assert browser.run("document.querySelector('.row:last-of-type .sure').innerText") == "p < 0.01, ranked 2"


def test_a_page_of_a_training_that_goes_on_follows_it(browser, tmp_path):
    timeline = log_folder(tmp_path, 3)
    page = write_page(timeline, live=True)
    rows, columns = timeline.layout().rows, timeline.layout().columns
    browser.open(page, "#view=heatmap")
    browser.run("window.same = true")
    timeline.add(frame(3, 3, rows, COLUMNS))
    write_page(timeline, live=True)
    browser.keys("HOME")
    browser.run("reread()")
    assert browser.run("window.same")  # someone looks at another dump
    browser.run("(go(LAST - 1), play(), reread())")
    assert browser.run("window.same")  # it plays
    browser.run("(play(false), go(LAST), document.getElementById('help').click(), reread())")
    assert browser.run("window.same")  # a list is open
    browser.run("(document.getElementById('keys').close(), reread())")
    browser.until(f"!window.same && document.readyState === 'complete' && {NOW} === 'epoch 3'")
    assert browser.run("state.view") == "heatmap"
    assert browser.text("#live") == "training"
    write_page(timeline)
    browser.run("reread()")
    browser.until("document.readyState === 'complete' && !document.getElementById('live')")
    assert len(columns) == 3


def test_print_shows_everything_on_white(browser, three):
    browser.open(three, "#theme=dark")
    browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    browser.drawn()
    assert browser.run("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert browser.run("[...document.querySelectorAll('.row canvas')].every(c => c.checkVisibility())")
    assert not browser.run("document.getElementById('play').checkVisibility()")
    assert browser.pixels(0, 2).mean() > 100  # ink on white


def test_a_long_sentence_is_read_to_its_end(browser, tmp_path):
    def fail(column, number, k):
        return Cell(failed=True, note="A sentence that is longer than its place. " * 12 if k else "Short.")

    browser.open(write_page(log_folder(tmp_path, 1, make=fail)), width=400)
    inside = "(s => { const a = s.getBoundingClientRect(), b = s.closest('button').getBoundingClientRect();"
    inside += " return a.top >= b.top && a.bottom <= b.bottom && a.right <= b.right })"
    assert browser.run(f"[...document.querySelectorAll('.say span')].every({inside})")
    assert browser.run("(([a, b]) => b > 1.5 * a)(LAYOUT.rows.map(r => r.figures[0].frame.offsetHeight))")


@pytest.mark.parametrize("width", [400, 700, 1000, 1600])
def test_nothing_sticks_out(browser, three, width):
    browser.open(three, width=width)
    assert browser.run("document.documentElement.scrollWidth") <= width
    assert browser.run("document.querySelector('figcaption .name').checkVisibility()") == (width < 760)


def test_a_page_without_dumps_says_so(browser, tmp_path):
    browser.open(write_page(log_folder(tmp_path, 0), live=True))
    assert browser.text("#rows") == "No pictures yet: nothing has been dumped."
    assert browser.run("document.getElementById('play').disabled")
    browser.keys("ARROW_LEFT", " ", "v", "END")


def test_small_photographs_are_enlarged_by_whole_pixels(browser, tmp_path):
    tiny = row("digit.png", "3", fit=Fit((8, 8), (8, 8)))
    browser.open(write_page(log_folder(tmp_path, 1, rows=[tiny], columns=[FINE, CAM])), "#view=photograph")
    shown = browser.pixels(0, 1)
    assert shown.shape == (256, 256, 3)
    blocks = shown.reshape(8, 32, 8, 32, 3)
    assert (blocks == blocks[:, :1, :, :1]).all()
