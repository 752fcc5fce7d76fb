// A small house: its computer's memory, the temperature of its rooms, and how often they were read.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plugin.h"

typedef meterbox_plugin_metric_types_desc_t desc_t;
typedef meterbox_plugin_metric_types_sample_t sample_t;

// Families are known by their place in what describe returns.
enum { MEMORY, TEMPERATURE, READS, FAMILIES };

// A real plugin would ask its thermometers.
static const struct {
  const char *room;
  double degrees;
} thermometers[] = {{"bath", 23.5}, {"cellar", 12.5}, {"kitchen", 21.5}};

enum { ROOMS = sizeof thermometers / sizeof *thermometers };

static double offset;
static meterbox_plugin_instruments_series_t reads;
static bool is_open;

// What is returned is freed by the bindings: each list and each text of it is allocated, one by one.
static void *allocate(size_t size) {
  void *memory = calloc(1, size);
  if (!memory) abort();
  return memory;
}

static plugin_list_string_t one(const char *text) {
  plugin_list_string_t list = {allocate(sizeof *list.ptr), 1};
  plugin_string_dup(list.ptr, text);
  return list;
}

static desc_t desc(uint8_t kind, const char *name, const char *help) {
  desc_t desc = {.kind.tag = kind};
  plugin_string_dup(&desc.name, name);
  plugin_string_dup(&desc.help, help);
  return desc;
}

static sample_t sample(uint32_t family, double number) {
  return (sample_t){
      .family = family,
      .value = {METERBOX_PLUGIN_METRIC_TYPES_VALUE_NUMBER, {.number = number}},
  };
}

// Reads the config and tells about it; false, with the reason, if it is wrong.
static bool configure(plugin_string_t *err) {
  plugin_string_t key, value, line;
  char text[32] = "0", message[80], *end;
  plugin_string_set(&key, "offset");
  if (meterbox_plugin_config_get(&key, &value)) {
    snprintf(text, sizeof text, "%.*s", (int)value.len, (char *)value.ptr);
    plugin_string_free(&value);
  }
  offset = strtod(text, &end);
  if (end == text || *end) {
    snprintf(message, sizeof message, "config offset is not a number: %s", text);
    plugin_string_dup(err, message);
    return false;
  }
  snprintf(message, sizeof message, "offset of the thermometers: %s", text);
  plugin_string_set(&line, message);
  meterbox_plugin_log_write(METERBOX_PLUGIN_LOG_LEVEL_INFO, &line);
  return true;
}

bool exports_meterbox_plugin_collector_describe(exports_meterbox_plugin_collector_list_desc_t *ret,
                                                plugin_string_t *err) {
  if (!configure(err)) return false;
  desc_t *descs = allocate(FAMILIES * sizeof *descs);
  descs[MEMORY] = desc(METERBOX_PLUGIN_METRIC_TYPES_KIND_GAUGE, "memory_total_bytes",
                       "Memory of the machine in bytes.");
  descs[TEMPERATURE] = desc(METERBOX_PLUGIN_METRIC_TYPES_KIND_GAUGE, "room_temperature_celsius",
                            "Temperature of a room.");
  descs[TEMPERATURE].label_names = one("room");
  descs[READS] = desc(METERBOX_PLUGIN_METRIC_TYPES_KIND_COUNTER, "room_reads_total",
                      "How often the rooms were read.");
  *ret = (exports_meterbox_plugin_collector_list_desc_t){descs, FAMILIES};
  return true;
}

static bool count(plugin_string_t *err) {
  meterbox_plugin_instruments_instrument_error_t why;
  plugin_list_string_t labels = {0};
  double by = 1;
  if (!is_open) is_open = meterbox_plugin_instruments_open(READS, &labels, &reads, &why);
  if (is_open && meterbox_plugin_instruments_add(&(plugin_list_u32_t){&reads, 1},
                                                 &(plugin_list_f64_t){&by, 1}, &why))
    return true;
  meterbox_plugin_instruments_instrument_error_free(&why);
  plugin_string_dup(err, "the host does not count");
  return false;
}

static bool memory_total(double *total, plugin_string_t *err) {
  meterbox_plugin_meminfo_list_entry_t entries;
  if (!meterbox_plugin_meminfo_read(&entries, err)) return false;
  *total = 0;
  for (size_t i = 0; i < entries.len; i++)
    if (entries.ptr[i].name.len == 8 && !memcmp(entries.ptr[i].name.ptr, "MemTotal", 8))
      *total = entries.ptr[i].value;
  meterbox_plugin_meminfo_list_entry_free(&entries);
  return true;
}

bool exports_meterbox_plugin_collector_collect(exports_meterbox_plugin_collector_list_sample_t *ret,
                                               plugin_string_t *err) {
  double total;
  if (!count(err) || !memory_total(&total, err)) return false;
  sample_t *samples = allocate((1 + ROOMS) * sizeof *samples);
  samples[0] = sample(MEMORY, total);
  for (int i = 0; i < ROOMS; i++) {
    samples[1 + i] = sample(TEMPERATURE, thermometers[i].degrees + offset);
    samples[1 + i].label_values = one(thermometers[i].room);
  }
  *ret = (exports_meterbox_plugin_collector_list_sample_t){samples, 1 + ROOMS};
  return true;
}
