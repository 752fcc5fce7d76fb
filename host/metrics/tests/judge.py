"""Reads pages from standard input, one behind the other, each up to a line `# EOF`, with Python's parser of the format that
the argument names: text or openmetrics. Prints how many samples it found."""

import io
import sys

from prometheus_client import parser
from prometheus_client.openmetrics import parser as openmetrics

read = {"text": parser, "openmetrics": openmetrics}[sys.argv[1]].text_string_to_metric_families
END = "\n# EOF\n"
text = io.TextIOWrapper(sys.stdin.buffer, encoding="utf-8", newline="").read()
found = 0
for page in text.split(END)[:-1]:
    try:
        found += sum(len(f.samples) for f in read(page.lstrip("\n") + END))
    except ValueError as error:
        sys.exit(f"{error}\nin:\n{page}")
print(found)
