"""The house of the other examples, with prometheus_client as PyPI has it: the metrics live in Python and leave it as text."""

import absent  # noqa: F401  before prometheus_client

from componentize_py_types import Err
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    disable_created_metrics,
    generate_latest,
)
from wit_world import exports
from wit_world.imports import config, log, meminfo

# They would tell when the plugin was built.
disable_created_metrics()

# The library's own registry has figures of a process, which a plugin is not.
REGISTRY = CollectorRegistry()
MEMORY = Gauge("memory_total_bytes", "Memory of the machine in bytes.", registry=REGISTRY)
TEMPERATURE = Gauge(
    "room_temperature_celsius", "Temperature of a room.", ["room"], registry=REGISTRY
)
READS = Counter("room_reads", "How often the rooms were read.", registry=REGISTRY)

# A real plugin would ask its thermometers.
THERMOMETERS = {"bath": 23.5, "cellar": 12.5, "kitchen": 21.5}


class Collector(exports.Collector):
    def describe(self):
        text = config.get("offset") or "0"
        try:
            TextCollector.offset = float(text)
        except ValueError:
            raise Err(f"config offset is not a number: {text}")
        log.write(log.Level.INFO, f"offset of the thermometers: {text}")
        return []

    def collect(self):
        return []


class TextCollector(exports.TextCollector):
    offset = 0.0

    def collect_text(self):
        READS.inc()
        # An Err of meminfo, such as that of a missing grant, becomes the error of collect_text.
        MEMORY.set(next(entry.value for entry in meminfo.read() if entry.name == "MemTotal"))
        for room, degrees in THERMOMETERS.items():
            TEMPERATURE.labels(room).set(degrees + self.offset)
        return generate_latest(REGISTRY).decode()
