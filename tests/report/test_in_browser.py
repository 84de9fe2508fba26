"""The page in a real browser, where there is one."""

import dataclasses
import html
import re
import shutil
import subprocess
from urllib.parse import quote

import pytest

from tests import builders
from tests.report.test_report import full_report
from weakreset.report import ReportInput, ReportPage, build_devices, build_report

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


def open_page(page: str, folder, fragment: str = "") -> tuple[str, str]:
    """The page as the browser sees it after its scripts ran, and what it said on the console."""
    path = folder / "report.html"
    path.write_text(page)
    command = [CHROMIUM, *QUIET, f"--user-data-dir={folder / 'profile'}", path.as_uri() + fragment]
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


HOSTILE = "</script><script>document.title='owned'</script><img src=x onerror=document.title='owned'>"
ACT = """<script>
addEventListener("load", () => {
  const rows = document.querySelectorAll("table.devices tbody tr");
  const key = (node, name) => node.dispatchEvent(new KeyboardEvent("keydown", { key: name, bubbles: true }));
  ACTION
});
</script></body>"""


def panel(dom: str) -> str:
    return dom[dom.index('<article id="device"') :].split("</article>")[0]


def shown_name(dom: str) -> str:
    return html.unescape(re.search(r'<h3 id="device-name">(.*?)</h3>', panel(dom)).group(1))


def acted(action: str, folder) -> tuple[str, str]:
    """The page after a person's clicks or keys; the test's own script needs the policy out of the way."""
    page = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", full_report())
    return open_page(page.replace("</body>", ACT.replace("ACTION", action)), folder)


def test_a_deep_link_shows_the_device_and_its_curve_under_the_policy(tmp_path):
    fits = builders.small_fits()
    fit = next(fit for fit in fits if fit.status.value == "ok" and "$" not in fit.device)
    dom, console = open_page(full_report(), tmp_path, "#device=" + quote(fit.device, safe=""))
    assert console == ""
    assert shown_name(dom) == fit.device
    for part in ('class="drift"', 'class="knee"', 'class="interval"', 'class="bars"', "lmfit", "correlation"):
        assert part in panel(dom)
    assert html.escape(fit.status.sentence) in panel(dom)


@pytest.mark.parametrize(
    ("action", "device"),
    [
        ("rows[5].cells[2].click();", 5),
        ("rows[5].click(); key(rows[5], 'ArrowDown'); key(rows[6], 'ArrowDown');", 7),
        ("rows[5].click(); document.getElementById('device-back').click();", 4),
        ("""const at = document.querySelector("#map-plot .full").getAttribute("d").match(/^M([0-9.]+) ([0-9.]+)h/);
            const box = document.querySelector("#map-plot svg").getBoundingClientRect(), scale = box.width / 640;
            document.getElementById("map-plot").dispatchEvent(new MouseEvent("click",
              { clientX: box.x + at[1] * scale, clientY: box.y + at[2] * scale, bubbles: true }));""", "first on map"),
    ],
    ids=["click", "arrows", "button", "map"],
)
def test_a_row_a_key_or_a_point_of_the_map_shows_that_device(tmp_path, action, device):
    fits = builders.small_fits().fits
    if device == "first on map":
        device = next(i for i, fit in enumerate(fits) if fit.status.value == "ok")
        action = "rows[9].click();" + action
    dom, console = acted(action, tmp_path)
    assert console == ""
    assert shown_name(dom) == fits[device].device
    assert 'class="drift"' in panel(dom)
    assert dom.count('aria-current="true"') == 1


def test_a_device_that_was_left_out_says_why_and_draws_nothing(tmp_path):
    dom, console = open_page(full_report(), tmp_path, "#device=" + quote("stuck<01>", safe=""))
    assert console == ""
    assert "resistance does not change" in panel(dom)
    assert "<path" not in panel(dom)


def test_a_hostile_device_name_is_text_everywhere(tmp_path):
    fits = builders.small_fits()
    renamed = dataclasses.replace(fits, fits=(dataclasses.replace(fits.fits[0], device=HOSTILE), *fits.fits[1:]))
    page = build_report(ReportInput("safe", fits=renamed))
    # without the policy: the escapes alone must hold
    bare = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", page)
    dom, console = open_page(bare, tmp_path, "#device=" + quote(HOSTILE, safe=""))
    assert console == ""
    assert "<title>safe</title>" in dom
    assert shown_name(dom) == HOSTILE


def test_a_notebook_shows_the_page_in_a_frame_where_a_click_works_and_the_outside_is_out_of_reach(tmp_path):
    """A script inside the frame clicks, and reports to the outside what the page then shows."""
    inner = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", full_report())
    report = """rows[5].click();
      let outside = "in reach";
      try { parent.document.title; } catch { outside = "out of reach"; }
      parent.postMessage(`${document.getElementById("device-name").textContent} / ${outside}`, "*");"""
    frame = ReportPage(inner.replace("</body>", ACT.replace("ACTION", report)))._repr_html_()
    listen = "<script>addEventListener('message', (event) => { document.title = event.data; });</script>"
    dom, console = open_page(f"<!doctype html><title>waiting</title>{listen}{frame}", tmp_path)
    assert console == ""
    assert f"<title>{html.escape(builders.small_fits().fits[5].device)} / out of reach</title>" in dom


def test_a_long_table_shows_its_first_rows_and_a_filter_finds_the_others(tmp_path):
    fits = builders.small_fits()
    many = tuple(dataclasses.replace(fit, device=f"{k}-{i}") for k in range(15) for i, fit in enumerate(fits))
    page = build_report(ReportInput("many", fits=dataclasses.replace(fits, fits=many)))
    page = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", page)
    shown = "[...rows].filter((row) => row.offsetHeight > 0)"
    action = f"""const first = {shown}.length, box = document.getElementById("device-filter");
      box.value = "14-2"; box.dispatchEvent(new Event("input"));
      const found = {shown}.map((row) => row.cells[0].textContent).join(" ");
      box.value = ""; box.dispatchEvent(new Event("input"));
      document.querySelector("#device-more button").click();
      document.title = `${{first}} / ${{found}} / ${{{shown}.length}}`;"""
    dom, console = open_page(page.replace("</body>", ACT.replace("ACTION", action)), tmp_path)
    assert console == ""
    names = [fit.device for fit in many if "14-2" in fit.device]
    assert f"<title>200 / {' '.join(names)} / {len(many)}</title>" in dom


def test_the_devices_have_a_page_of_their_own_that_shows_them_alike(tmp_path):
    fits = builders.small_fits()
    page = build_devices(fits, "Devices <of> & \"lot\"")
    fit = next(fit for fit in fits if fit.status.value == "ok" and "$" not in fit.device)
    dom, console = open_page(page, tmp_path, "#device=" + quote(fit.device, safe=""))
    assert console == ""
    assert shown_name(dom) == fit.device
    assert 'class="drift"' in panel(dom)
    assert "SIMULATED DATA" in dom
    assert "<title>Devices &lt;of&gt; &amp;" in dom
