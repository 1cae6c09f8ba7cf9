"""axe-core in the page: every rule of WCAG 2.2 A and AA, and axe's best practices."""

import base64
import hashlib
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path

from playwright.sync_api import Page

VERSION = "4.14.1"
INTEGRITY = (
    "FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe37OgudVGtQ=="  # SHA-512, base64
)
CACHE = Path(__file__).parent.parent.parent / ".data" / "tools" / f"axe-core-{VERSION}.js"


class Unavailable(Exception):
    """axe-core cannot be had on this machine; the message says what is missing."""


def axe_source() -> str:
    """The script, fetched once from the npm registry and checked against its digest."""
    if not CACHE.exists():
        CACHE.parent.mkdir(parents=True, exist_ok=True)
        CACHE.write_text(_fetch())
    return CACHE.read_text()


# What arrives fades in, and half-way has too little contrast; what breathes for ever is not waited for.
SETTLED = """() => Promise.all(document.getAnimations()
  .filter((animation) => animation.timeline === document.timeline && animation.effect.getComputedTiming().endTime < 5000)
  .map((animation) => animation.finished.catch(() => null))).then(() => true)"""


# Elements in their order, with attributes whose values say what they are; of those that name or lead to something, and of
# text, only whether there is any. Siblings that are alike count once, so that a list of two and one of three are the same.
SKELETON = """() => {
  const telling = /^(class|role|type|lang|dir|hidden|open|disabled|tabindex|scope|name|autocomplete|popover|data-theme)$|^aria-/;
  const naming = /^aria-(label|labelledby|describedby|controls|details|errormessage|owns|valuetext|valuenow)$/;
  const attribute = ({name, value}) =>
    telling.test(name) && !naming.test(name) ? `${name}=${value}` : `${name}${value.trim() ? "+" : "-"}`;
  const outline = (node) => {
    if (node.nodeType === Node.TEXT_NODE) return node.data.trim() ? "text" : "";
    if (node.nodeType !== Node.ELEMENT_NODE) return "";
    const parts = [...node.childNodes].map(outline).filter((part) => part);
    const children = parts.filter((part, index) => part !== parts[index - 1]);
    return `<${node.localName} ${[...node.attributes].map(attribute).sort().join(" ")}>${children.join("")}</>`;
  };
  const look = `${matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light"} ${innerWidth}`;
  return look + outline(document.documentElement);
}"""


# No rule that is on by default reads style sheets or plays media, so axe need not fetch any.
RUN = "async () => (await axe.run(document, {resultTypes: ['violations'], preload: false})).violations"


def skeleton(page: Page) -> str:
    """What axe judges a page by: two pages that differ only in their words, numbers and addresses have the same."""
    return str(page.evaluate(SKELETON))


def violations(page: Page) -> list[str]:
    """What axe finds wrong with the page once it has settled, one line for each rule and element."""
    page.evaluate(SETTLED)
    page.evaluate(axe_source())
    found = page.evaluate(RUN)
    return [
        f"{page.url} {rule['id']}: {node['target']} {node['failureSummary']}"
        for rule in found
        for node in rule["nodes"]
    ]


def _fetch() -> str:
    npm = shutil.which("npm")
    if npm is None:
        raise Unavailable("axe-core comes from the npm registry, and there is no npm on this machine.")
    with tempfile.TemporaryDirectory() as folder:
        command = [npm, "pack", f"axe-core@{VERSION}", "--silent", "--pack-destination", folder]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, cwd=folder)
        if done.returncode != 0:
            raise Unavailable(f"npm could not fetch axe-core {VERSION}: {done.stderr.strip()}")
        archive = next(Path(folder).glob("*.tgz"))
        _require_digest(archive)
        with tarfile.open(archive) as packed:
            script = packed.extractfile("package/axe.min.js")
            assert script is not None
            return script.read().decode()


def _require_digest(archive: Path) -> None:
    digest = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
    if digest != INTEGRITY:
        raise Unavailable(f"The archive of axe-core {VERSION} is not the one that was pinned (SHA-512 {digest}).")
