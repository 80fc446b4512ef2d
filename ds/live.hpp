// A running data server for those who look (common/live/LIVE.md): its tables and metrics.
#pragma once

namespace pnfs::live {
class Desk;
class Metrics;
}  // namespace pnfs::live

namespace pnfs::ds {

class Ds;

// The server must be started and outlive the desk.
void add_tables(Ds& ds, live::Desk& desk);
void add_metrics(Ds& ds, live::Metrics& metrics);

}  // namespace pnfs::ds
