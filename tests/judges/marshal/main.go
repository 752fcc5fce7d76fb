// marshal reads a page of text format 0.0.4 from standard input and prints each family as proto.MarshalTextString does, ascending
// by name, with a line feed behind it.
package main

import (
	"fmt"
	"log"
	"math"
	"os"
	"sort"

	"github.com/golang/protobuf/proto"
	"github.com/prometheus/common/expfmt"
)

func main() {
	var parser expfmt.TextParser
	families, err := parser.TextToMetricFamilies(os.Stdin)
	if err != nil {
		log.Fatal(err)
	}
	names := make([]string, 0, len(families))
	for name := range families {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		for _, metric := range families[name].Metric {
			// The parser keeps the bucket of +Inf; who gathers, as client_golang does, has none.
			if histogram := metric.Histogram; histogram != nil {
				last := len(histogram.Bucket) - 1
				if last >= 0 && math.IsInf(histogram.Bucket[last].GetUpperBound(), +1) {
					histogram.Bucket = histogram.Bucket[:last]
				}
			}
		}
		fmt.Println(proto.MarshalTextString(families[name]))
	}
}
