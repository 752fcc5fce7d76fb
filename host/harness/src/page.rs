//! A page as a test looks at it.

use meterbox_metrics::parse;

use crate::Error;

/// What is on the page after a collect.
#[derive(Clone, Debug)]
pub struct Page {
    /// Text format 0.0.4.
    pub text: String,
    /// Every line that has a value, in the order of the page.
    pub samples: Vec<Sample>,
}

/// One line.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// The name; of a histogram or summary with `_bucket`, `_sum` or `_count`.
    pub name: String,
    /// Names and values, `le` and `quantile` among them.
    pub labels: Vec<(String, String)>,
    /// The number.
    pub value: f64,
}

impl Page {
    pub(crate) fn parse(text: String) -> Result<Self, Error> {
        let families = parse::text(&text).map_err(Error::Page)?;
        let samples = families.iter().flat_map(|family| {
            family.samples().map(|sample| Sample {
                name: sample.name().into_owned(),
                labels: sample
                    .labels
                    .iter()
                    .map(|label| (label.name().into_owned(), label.value().into_owned()))
                    .collect(),
                value: sample.value,
            })
        });
        Ok(Self {
            samples: samples.collect(),
            text,
        })
    }

    /// The value of the series with this name and exactly these labels, in any order.
    pub fn value(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        let found = self.series(name).find(|sample| {
            sample.labels.len() == labels.len() && labels.iter().all(|pair| sample.has(*pair))
        });
        found.map(|sample| sample.value)
    }

    /// Every series of this name.
    pub fn series<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Sample> {
        self.samples
            .iter()
            .filter(move |sample| sample.name == name)
    }
}

impl Sample {
    fn has(&self, (name, value): (&str, &str)) -> bool {
        self.labels.iter().any(|(n, v)| n == name && v == value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn series_are_found_by_all_of_their_labels() {
        let text = "a{x=\"1\",y=\"2\"} 3\na{x=\"1\"} 4\nb 5\n";
        let page = Page::parse(text.to_owned()).expect("a page");
        assert_eq!(page.value("a", &[("y", "2"), ("x", "1")]), Some(3.0));
        assert_eq!(page.value("a", &[("x", "1")]), Some(4.0));
        assert_eq!(page.value("b", &[]), Some(5.0));
        assert_eq!(page.value("a", &[]), None);
        assert_eq!(page.series("a").count(), 2);
    }
}
