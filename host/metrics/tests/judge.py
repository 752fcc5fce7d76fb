"""Reads OpenMetrics pages from standard input, one behind the other, with Python's strict parser. Prints how many samples
it found."""

import io
import sys

from prometheus_client.openmetrics.parser import text_string_to_metric_families

END = "\n# EOF\n"
text = io.TextIOWrapper(sys.stdin.buffer, encoding="utf-8", newline="").read()
found = 0
for page in text.split(END)[:-1]:
    try:
        found += sum(len(f.samples) for f in text_string_to_metric_families(page.lstrip("\n") + END))
    except ValueError as error:
        sys.exit(f"{error}\nin:\n{page}")
print(found)
