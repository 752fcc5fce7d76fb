// Command server is the client_golang peer: it reads the content on its standard input, registers it, serves it through
// promhttp and says where. Then it answers `update` with the nanoseconds of an increment and an observation, alone and on
// two threads, until its input ends.
package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

func main() {
	lines := bufio.NewScanner(os.Stdin)
	registry := prometheus.NewRegistry()
	content := &content{memory: newMeminfo()}
	for lines.Scan() && lines.Text() != "." {
		content.line(registry, strings.Split(lines.Text(), "\t"))
	}
	gatherer := prometheus.GathererFunc(content.memory.gatherer(registry))
	// What the content was read into is not the server's.
	debug.FreeOSMemory()
	config := net.ListenConfig{Control: useCubic}
	listener, err := config.Listen(context.Background(), "tcp", "127.0.0.1:0")
	check(err)
	http.Handle("/metrics", promhttp.HandlerFor(gatherer, promhttp.HandlerOpts{}))
	go func() { check(http.Serve(listener, nil)) }()
	fmt.Println("ready", listener.Addr())
	for lines.Scan() {
		fmt.Println(update())
	}
}

// useCubic has connections do as those of the other servers.
func useCubic(_, _ string, socket syscall.RawConn) error {
	var failed error
	err := socket.Control(func(fd uintptr) {
		failed = syscall.SetsockoptString(int(fd), syscall.IPPROTO_TCP, syscall.TCP_CONGESTION, "cubic")
	})
	return errors.Join(err, failed)
}

// content turns lines into metrics. A family is `F kind name help labels bounds`, each of its series
// `S value label...`, where the value is a number, numbers to observe, or `@` and a memory figure.
type content struct {
	kind      string
	counters  *prometheus.CounterVec
	gauges    *prometheus.GaugeVec
	observers prometheus.ObserverVec
	memory    *meminfo
}

func (c *content) line(registry *prometheus.Registry, fields []string) {
	if fields[0] == "S" {
		c.series(fields[1], fields[2:])
		return
	}
	c.kind = fields[1]
	name, help := fields[2], fields[3]
	labels := list(fields[4])
	switch c.kind {
	case "counter":
		c.counters = prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
		registry.MustRegister(c.counters)
	case "gauge":
		c.gauges = prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: name, Help: help}, labels)
		registry.MustRegister(c.gauges)
	case "histogram":
		opts := prometheus.HistogramOpts{Name: name, Help: help, Buckets: floats(fields[5])}
		histograms := prometheus.NewHistogramVec(opts, labels)
		registry.MustRegister(histograms)
		c.observers = histograms
	case "summary":
		objectives := map[float64]float64{}
		for _, quantile := range floats(fields[5]) {
			objectives[quantile] = 0.001
		}
		opts := prometheus.SummaryOpts{Name: name, Help: help, Objectives: objectives}
		summaries := prometheus.NewSummaryVec(opts, labels)
		registry.MustRegister(summaries)
		c.observers = summaries
	}
}

func (c *content) series(value string, labels []string) {
	switch c.kind {
	case "counter":
		c.counters.WithLabelValues(labels...).Add(floats(value)[0])
	case "gauge":
		gauge := c.gauges.WithLabelValues(labels...)
		if figure, isMemory := strings.CutPrefix(value, "@"); isMemory {
			c.memory.add(gauge, figure)
		} else {
			gauge.Set(floats(value)[0])
		}
	default:
		observer := c.observers.WithLabelValues(labels...)
		for _, value := range floats(value) {
			observer.Observe(value)
		}
	}
}

func list(text string) []string {
	if text == "" {
		return nil
	}
	return strings.Split(text, ",")
}

func floats(text string) []float64 {
	var numbers []float64
	for _, text := range list(text) {
		number, err := strconv.ParseFloat(text, 64)
		check(err)
		numbers = append(numbers, number)
	}
	return numbers
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// update measures as the Rust side does.
func update() string {
	const times = 1_000_000
	values := [...]float64{0.004, 0.3, 0.02, 7.0, 0.07, 1.5, 0.15, 20.0}
	counter := prometheus.NewCounter(prometheus.CounterOpts{Name: "bench_total"})
	histogram := prometheus.NewHistogram(prometheus.HistogramOpts{Name: "bench_seconds"})
	inc := func() {
		for range times {
			counter.Inc()
		}
	}
	observe := func() {
		for n := range times {
			histogram.Observe(values[n%len(values)])
		}
	}
	on := func(threads int, work func()) float64 {
		start := time.Now()
		var group sync.WaitGroup
		for range threads {
			group.Go(work)
		}
		group.Wait()
		return float64(time.Since(start).Nanoseconds()) / times
	}
	return fmt.Sprint(on(1, inc), " ", on(1, observe), " ", on(2, inc), " ", on(2, observe))
}
