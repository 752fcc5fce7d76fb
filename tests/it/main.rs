//! What Meterbox has to show, over real sockets and with the real binary; one module per topic.

mod cli;
mod contract;
mod demo;
mod deploy;
mod embed;
mod exemplars;
mod faults;
mod forms;
mod front_door;
mod grants;
mod hostile;
mod http_edges;
mod judges;
mod limits;
mod memory;
mod negotiation;
mod ponds;
mod refusals;
mod reload;
mod schedule;
mod scrape;
mod shutdown;
mod state;
mod text_collector;
mod textfile;
