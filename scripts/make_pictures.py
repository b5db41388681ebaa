"""Makes the pictures of the documents again: `python scripts/make_pictures.py [NAME]...`.

Each is what the command line draws on the sample networks, at one pixel a unit, with fewer colours so that a clone
stays small. Each carries its record: `kerasviz replay docs/pictures/gradcam.png` prints the command. A page's picture
is what Chromium shows of the page that an example ends in.
"""

import os
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

from click.testing import CliRunner
from kerasviz_cli.main import main as kerasviz
from PIL import Image, PngImagePlugin

from kerasviz.records import KEYWORD, as_json, read_recipe

ROOT = Path(__file__).resolve().parents[1]
PICTURES = ROOT / "docs" / "pictures"

NETWORK = "sample_models/efficientnet_lite0.keras"
CAT = "sample_models/photos/cat_chelsea.png"
COMMANDS = {  # name: (command, colours)
    "gradcam": (f"gradcam {NETWORK} {CAT}", 256),
    "saliency": (f"saliency {NETWORK} {CAT}", 256),
    "guided-backprop": (f"guided-backprop {NETWORK} {CAT}", 256),
    "cam": ("cam sample_models/digits.h5 sample_models/digits/3_0045.png --all-classes", 256),
    "activations": (f"activations {NETWORK} {CAT} --layer stem_activation", 32),
    "empty": (f"gradcam {NETWORK} sample_models/photos/picket_fence.jpg --target tench", 256),
}
PAGES = {  # name: (example, state of its page, width and height of the window)
    "timeline": ("finetune_photos", "", (1000, 912)),
}
BROWSER = (
    "chromium --headless --no-sandbox --disable-gpu --disable-background-networking --disable-component-update "
    "--disable-sync --hide-scrollbars --virtual-time-budget=5000"  # so that all is drawn
)


def draw(command: str, folder: Path) -> Path:
    """The picture that a command writes into a folder."""
    answer = CliRunner().invoke(kerasviz, [*shlex.split(command), "--scale", "1", "--out", str(folder)])
    if answer.exit_code:
        raise SystemExit(f"kerasviz {command} ended with exit code {answer.exit_code}: {answer.stderr}")
    return Path(answer.stdout.splitlines()[0])


def show(example: str, state: str, size: tuple[int, int], folder: Path) -> Path:
    """What is seen of the page of an example, which is run first."""
    logs, picture = folder / "logs", folder / "page.png"
    subprocess.run([sys.executable, f"examples/{example}.py", str(logs)], check=True)
    window = [f"--user-data-dir={folder / 'browser'}", f"--window-size={size[0]},{size[1]}", f"--screenshot={picture}"]
    page = f"{(logs / 'timeline.html').as_uri()}#{state}"
    subprocess.run([*shlex.split(BROWSER), *window, page], check=True, stderr=subprocess.DEVNULL)
    return picture


def shrink(picture: Path, small: Path, colours: int, recipe: bool = True) -> None:
    """The picture with a palette that covers all its colours evenly, so that scales stay scales; its record kept."""
    info = PngImagePlugin.PngInfo()
    if recipe:
        info.add_itxt(KEYWORD, as_json(read_recipe(picture)).decode())
    with Image.open(picture) as image:
        palette = image.convert("RGB").quantize(colours, Image.Quantize.MAXCOVERAGE, kmeans=3, dither=Image.Dither.NONE)
    palette.save(small, "PNG", optimize=True, pnginfo=info)


def main() -> None:
    """Draw those that are named, or all of them."""
    os.chdir(ROOT)  # the records name files as seen from here
    PICTURES.mkdir(exist_ok=True)
    for name in sys.argv[1:] or [*COMMANDS, *PAGES]:
        small = PICTURES / f"{name}.png"
        with tempfile.TemporaryDirectory() as folder:
            if name in PAGES:
                shrink(show(*PAGES[name], Path(folder)), small, 256, recipe=False)
            else:
                command, colours = COMMANDS[name]
                shrink(draw(command, Path(folder)), small, colours)
        print(f"{small.relative_to(ROOT)}: {small.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
