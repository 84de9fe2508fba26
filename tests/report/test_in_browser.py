"""The page in a real browser, where there is one."""

import re
import shutil
import subprocess

import pytest

from tests import builders
from tests.report.test_report import full_report

NAMES = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM = next((path for name in NAMES if (path := shutil.which(name))), None)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium here (Debian: apt-get install chromium)")

QUIET = [
    "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--enable-logging=stderr",
    "--virtual-time-budget=3000", "--dump-dom",
]

CLICK = """<script>
addEventListener("load", () => {
  const button = [...document.querySelectorAll("th button")].find((item) => item.textContent.startsWith("R0"));
  for (let i = 0; i < CLICKS; i++) button.click();
});
</script></body>"""


def open_page(page: str, folder) -> tuple[str, str]:
    """The page as the browser sees it after its scripts ran, and what it said on the console."""
    path = folder / "report.html"
    path.write_text(page)
    command = [CHROMIUM, *QUIET, f"--user-data-dir={folder / 'profile'}", path.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout, "\n".join(line for line in done.stderr.splitlines() if "CONSOLE" in line)


def sorted_column(dom: str) -> list[float]:
    table = dom[dom.index("<tbody>", dom.index("sortable devices")) :].split("</tbody>")[0]
    rows = re.findall(r"<tr.*?</tr>", table)
    return [float(found.group(1)) for row in rows if (found := re.search(r'(?:</td>)<td data-v="(\d{4}\.[^"]*)"', row))]


def test_the_page_opens_without_a_console_message_and_its_script_runs(tmp_path):
    assert '<div class="filter" hidden>' in full_report()
    dom, console = open_page(full_report(), tmp_path)
    assert console == ""
    assert '<div class="filter">' in dom  # the script shows the filter: the security policy lets it run
    assert "<title>Lot &lt;7&gt;</title>" in dom  # the hostile device name did not run


@pytest.mark.parametrize(("clicks", "descending"), [(1, False), (2, True)])
def test_a_click_on_a_column_sorts_the_devices(tmp_path, clicks, descending):
    """The test's own script needs the policy out of the way; the page's script is the shipped one."""
    page = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", full_report())
    page = page.replace("</body>", CLICK.replace("CLICKS", str(clicks)))
    dom, console = open_page(page, tmp_path)
    assert console == ""
    values = sorted_column(dom)
    assert len(values) == sum(fit.estimates != {} for fit in builders.small_fits())
    assert values == sorted(values, reverse=descending)
    assert f'aria-sort="{"descending" if descending else "ascending"}"' in dom


def test_a_foreign_script_is_stopped_by_the_policy(tmp_path):
    page = full_report().replace("</body>", "<script>document.title = 'owned'</script></body>")
    dom, console = open_page(page, tmp_path)
    assert "owned</title>" not in dom
    assert "Content Security Policy" in console
