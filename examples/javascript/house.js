// A small house: its computer's memory, the temperature of its rooms, and how often they were read.

import * as config from "meterbox:plugin/config@0.1.0";
import * as instruments from "meterbox:plugin/instruments@0.1.0";
import * as log from "meterbox:plugin/log@0.1.0";
import * as meminfo from "meterbox:plugin/meminfo@0.1.0";

// Families are known by their place in what describe returns.
const [MEMORY, TEMPERATURE, READS] = [0, 1, 2];
const families = [
  desc("memory_total_bytes", "Memory of the machine in bytes.", "gauge"),
  desc("room_temperature_celsius", "Temperature of a room.", "gauge", ["room"]),
  desc("room_reads_total", "How often the rooms were read.", "counter"),
];

// A real plugin would ask its thermometers.
const thermometers = { bath: 23.5, cellar: 12.5, kitchen: 21.5 };

let offset = 0;
let reads;

export const collector = {
  describe() {
    const text = config.get("offset") ?? "0";
    offset = Number(text);
    if (text.trim() === "" || Number.isNaN(offset)) throw `config offset is not a number: ${text}`;
    log.write("info", `offset of the thermometers: ${text}`);
    return families;
  },

  collect() {
    reads ??= instruments.open(READS, []);
    instruments.add([reads], [1]);
    const total = meminfo.read().find((entry) => entry.name === "MemTotal").value;
    const rooms = Object.entries(thermometers);
    return [
      sample(MEMORY, [], total),
      ...rooms.map(([room, degrees]) => sample(TEMPERATURE, [room], degrees + offset)),
    ];
  },
};

function desc(name, help, kind, labelNames = []) {
  return { name, help, kind: { tag: kind }, labelNames };
}

function sample(family, labelValues, number) {
  return { family, labelValues, value: { tag: "number", val: number } };
}
