package main

import (
	"bytes"
	"os"
	"strconv"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
)

// meminfo sets gauges from the kernel's file before each scrape. The file stays open, as it does on the Rust side.
type meminfo struct {
	file   *os.File
	mutex  sync.Mutex
	gauges []prometheus.Gauge
	// Lines of the file; -1 is the first less the third.
	lines []int
	text  [8 << 10]byte
}

func newMeminfo() *meminfo {
	file, err := os.Open("/proc/meminfo")
	check(err)
	return &meminfo{file: file}
}

// add takes a line number, or `used`.
func (m *meminfo) add(gauge prometheus.Gauge, figure string) {
	line := -1
	if figure != "used" {
		number, err := strconv.Atoi(figure)
		check(err)
		line = number
	}
	m.gauges = append(m.gauges, gauge)
	m.lines = append(m.lines, line)
}

func (m *meminfo) gatherer(inner prometheus.Gatherer) func() ([]*dto.MetricFamily, error) {
	return func() ([]*dto.MetricFamily, error) {
		m.refresh()
		return inner.Gather()
	}
}

func (m *meminfo) refresh() {
	if len(m.gauges) == 0 {
		return
	}
	m.mutex.Lock()
	defer m.mutex.Unlock()
	length, _ := m.file.ReadAt(m.text[:], 0)
	lines := bytes.Split(m.text[:length], []byte{'\n'})
	for place, gauge := range m.gauges {
		if line := m.lines[place]; line >= 0 {
			gauge.Set(figure(lines[line]))
		} else {
			gauge.Set(figure(lines[0]) - figure(lines[2]))
		}
	}
}

// figure reads `MemFree:        22087508 kB` in bytes.
func figure(line []byte) float64 {
	_, rest, _ := bytes.Cut(line, []byte{':'})
	rest, isKilobytes := bytes.CutSuffix(bytes.TrimSpace(rest), []byte(" kB"))
	number, err := strconv.ParseUint(string(rest), 10, 64)
	check(err)
	if isKilobytes {
		number *= 1024
	}
	return float64(number)
}
