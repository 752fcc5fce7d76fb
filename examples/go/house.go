// Package export_meterbox_plugin_collector is a small house: its computer's memory, the temperature of its rooms, and how
// often they were read. The bindings call it by this name.
package export_meterbox_plugin_collector

import (
	"fmt"
	"strconv"

	. "go.bytecodealliance.org/pkg/wit/types"
	"wit_component/gc"
	config "wit_component/meterbox_plugin_config"
	instruments "wit_component/meterbox_plugin_instruments"
	log "wit_component/meterbox_plugin_log"
	meminfo "wit_component/meterbox_plugin_meminfo"
	. "wit_component/meterbox_plugin_metric_types"
)

// Families are known by their place in what Describe returns.
const (
	memory = iota
	temperature
	reads
)

var families = []Desc{
	{Name: "memory_total_bytes", Help: "Memory of the machine in bytes.", Kind: MakeKindGauge()},
	{Name: "room_temperature_celsius", Help: "Temperature of a room.", Kind: MakeKindGauge(), LabelNames: []string{"room"}},
	{Name: "room_reads_total", Help: "How often the rooms were read.", Kind: MakeKindCounter()},
}

// A real plugin would ask its thermometers.
var thermometers = []struct {
	room    string
	degrees float64
}{{"bath", 23.5}, {"cellar", 12.5}, {"kitchen", 21.5}}

var (
	offset float64
	series *instruments.Series
)

func Describe() Result[[]Desc, string] {
	gc.Step()
	text := config.Get("offset").SomeOr("0")
	var err error
	if offset, err = strconv.ParseFloat(text, 64); err != nil {
		return Err[[]Desc]("config offset is not a number: " + text)
	}
	log.Write(log.Level_Info, "offset of the thermometers: "+text)
	return Ok[[]Desc, string](families)
}

func Collect() Result[[]Sample, string] {
	gc.Step()
	if err := count(); err != nil {
		return Err[[]Sample](err.Error())
	}
	entries := meminfo.Read()
	if entries.IsErr() {
		return Err[[]Sample](entries.Err())
	}
	var samples []Sample
	for _, entry := range entries.Ok() {
		if entry.Name == "MemTotal" {
			samples = append(samples, sample(memory, entry.Value))
		}
	}
	for _, thermometer := range thermometers {
		samples = append(samples, sample(temperature, thermometer.degrees+offset, thermometer.room))
	}
	return Ok[[]Sample, string](samples)
}

func count() error {
	if series == nil {
		opened := instruments.Open(reads, nil)
		if opened.IsErr() {
			return fmt.Errorf("the host opens no counter: case %d", opened.Err().Tag())
		}
		number := opened.Ok()
		series = &number
	}
	if added := instruments.Add([]uint32{*series}, []float64{1}); added.IsErr() {
		return fmt.Errorf("the host does not count: case %d", added.Err().Tag())
	}
	return nil
}

func sample(family uint32, number float64, labels ...string) Sample {
	return Sample{Family: family, LabelValues: labels, Value: MakeValueNumber(number)}
}
