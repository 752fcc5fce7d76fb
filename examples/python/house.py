"""A small house: its computer's memory, the temperature of its rooms, and how often they were read."""

from componentize_py_types import Err
from wit_world import exports
from wit_world.imports import config, instruments, log, meminfo
from wit_world.imports.metric_types import Desc, Kind_Counter, Kind_Gauge, Sample, Value_Number

# Families are known by their place in what describe returns.
FAMILIES = [
    Desc("memory_total_bytes", "Memory of the machine in bytes.", None, Kind_Gauge(), []),
    Desc("room_temperature_celsius", "Temperature of a room.", None, Kind_Gauge(), ["room"]),
    Desc("room_reads_total", "How often the rooms were read.", None, Kind_Counter(), []),
]
MEMORY, TEMPERATURE, READS = range(len(FAMILIES))

# A real plugin would ask its thermometers.
THERMOMETERS = {"bath": 23.5, "cellar": 12.5, "kitchen": 21.5}


class Collector(exports.Collector):
    # Each call gets a Collector of its own: what lasts is kept in the class.
    offset = 0.0
    reads = None

    def describe(self):
        text = config.get("offset") or "0"
        try:
            Collector.offset = float(text)
        except ValueError:
            raise Err(f"config offset is not a number: {text}")
        log.write(log.Level.INFO, f"offset of the thermometers: {text}")
        return FAMILIES

    def collect(self):
        if Collector.reads is None:
            Collector.reads = instruments.open(READS, [])
        instruments.add([self.reads], [1.0])
        # An Err of meminfo, such as that of a missing grant, becomes the error of collect.
        total = next(entry.value for entry in meminfo.read() if entry.name == "MemTotal")
        rooms = THERMOMETERS.items()
        return [sample(MEMORY, [], total)] + [
            sample(TEMPERATURE, [room], degrees + self.offset) for room, degrees in rooms
        ]


def sample(family, label_values, number):
    return Sample(family, label_values, Value_Number(number), None, None)
