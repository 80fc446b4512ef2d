#include "testbed/report/summary.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <tuple>

#include "common/trace/reading.hpp"

namespace pnfs::report {

namespace {

using trace::Kind;
using trace::OwnedEvent;

bool is_read(const OwnedEvent& e) {
  return e.op == "READ" || (e.kind == Kind::scsi && e.op.starts_with("READ("));
}
bool is_write(const OwnedEvent& e) {
  return e.op == "WRITE" || (e.kind == Kind::scsi && e.op.starts_with("WRITE("));
}

void count_traffic(Run& run, const Lanes& lanes) {
  std::map<std::pair<size_t, size_t>, Traffic> all;
  for (const OwnedEvent& e : run.events) {
    if ((e.kind != Kind::op && e.kind != Kind::scsi) || !e.bytes) continue;
    const bool read = is_read(e);
    if (!read && !is_write(e)) continue;
    const auto way = lanes.of(e);
    Traffic& t = all[way];
    t.from = way.first;
    t.to = way.second;
    (read ? t.reads : t.writes) += 1;
    (read ? t.read_bytes : t.written_bytes) += *e.bytes;
  }
  for (const auto& [way, traffic] : all) run.traffic.push_back(traffic);
}

void count_failures(Run& run) {
  std::map<std::tuple<std::string, std::string, std::string>, size_t> at;
  for (const Row& row : run.rows) {
    const OwnedEvent& e = *row.event;
    if (row.good || e.kind == Kind::fault || e.kind == Kind::state) continue;
    const auto [found, fresh] = at.emplace(std::tuple(e.node, e.op, e.status), run.failures.size());
    if (fresh) run.failures.push_back({e.node, e.op, e.status, e.reason, e.section, 0});
    ++run.failures[found->second].count;
  }
  std::stable_sort(run.failures.begin(), run.failures.end(),
                   [](const auto& a, const auto& b) { return a.count > b.count; });
}

std::string counted(uint64_t n, std::string_view what) {
  return fmt::format("{} {}{}", n, what, n == 1 ? "" : "s");
}

// What followed a refused LAYOUTGET of one client, file and iomode.
struct Refused {
  const OwnedEvent* first;
  std::string file;
  uint64_t times = 0;
  bool granted_later = false;
  uint64_t through_mds = 0, mds_bytes = 0, through_ds = 0;
};

class Followed {
 public:
  Followed(const Run& run, const Lanes& lanes, const FileNames& names) : run_(run), lanes_(lanes), names_(names) {}

  std::vector<std::string> sentences() {
    for (const OwnedEvent& e : run_.events)
      if (e.kind == Kind::op) take(e);
    std::vector<std::string> out;
    for (const auto& [key, refused] : refused_) out.push_back(about(refused));
    for (const auto& [key, failed] : failed_io_) out.push_back(about(failed));
    return out;
  }

 private:
  struct FailedIo {
    const OwnedEvent* first;
    std::string file;
    uint64_t times = 0, later_at_ds = 0, later_at_mds = 0;
  };
  using Key = std::tuple<size_t, std::string, std::string>;

  void take(const OwnedEvent& e) {
    const size_t client = lanes_.client(e);
    const std::string file = file_text(e, names_);
    const bool good = trace::is_good(e.status);
    if (e.op == "LAYOUTGET") {
      const Key key(client, file, e.iomode);
      if (!good) {
        Refused& r = refused_.try_emplace(key, Refused{&e, file}).first->second;
        ++r.times;
      } else if (const auto found = refused_.find(key); found != refused_.end()) {
        found->second.granted_later = true;
      }
      return;
    }
    if (!is_read(e) && !is_write(e)) return;
    const bool at_ds = e.node.starts_with("ds");
    for (auto& [key, r] : refused_) {
      if (std::get<0>(key) != client || r.file != file || !good) continue;
      if (std::get<2>(key) == (is_write(e) ? "RW" : "READ")) {
        (at_ds ? r.through_ds : r.through_mds) += 1;
        if (!at_ds) r.mds_bytes += e.bytes.value_or(0);
      }
    }
    for (auto& [key, f] : failed_io_) {
      if (std::get<0>(key) != client || std::get<2>(key) != e.op || !good) continue;
      if (!f.file.empty() && f.file != file) continue;
      ++(at_ds ? f.later_at_ds : f.later_at_mds);
    }
    if (!good && at_ds) {
      FailedIo& f =
          failed_io_.try_emplace(Key(client, e.node + " " + e.status, e.op), FailedIo{&e, file}).first->second;
      ++f.times;
    }
  }

  std::string about(const Refused& r) const {
    const OwnedEvent& e = *r.first;
    const bool write = e.iomode == "RW";
    const std::string_view io = write ? "WRITE" : "READ";
    std::string text = fmt::format("{}: {} refused LAYOUTGET {} of {} with {} ({}).", title(e), e.node, e.iomode,
                                   r.file, e.status, counted(r.times, "time"));
    if (r.granted_later) {
      text += " A later LAYOUTGET was granted.";
    }
    if (r.through_mds > 0) {
      text += fmt::format(" It fell back to the metadata server: {} there afterwards, {} bytes.",
                          counted(r.through_mds, io), r.mds_bytes);
    }
    if (r.through_ds > 0) text += fmt::format(" {} went to data servers afterwards.", counted(r.through_ds, io));
    if (r.through_mds == 0 && r.through_ds == 0 && !r.granted_later)
      text += fmt::format(
          " It fell back to nothing: no {} reached any server afterwards, so the application saw the error.", io);
    return text;
  }

  std::string about(const FailedIo& f) const {
    const OwnedEvent& e = *f.first;
    std::string text =
        fmt::format("{}: {} answered {} {} ({}).", title(e), e.node, e.op, e.status, counted(f.times, "time"));
    if (f.later_at_mds > 0)
      text += fmt::format(" It went on through the metadata server: {}.", counted(f.later_at_mds, e.op));
    if (f.later_at_ds > 0) text += fmt::format(" It went on at data servers: {}.", counted(f.later_at_ds, e.op));
    if (f.later_at_mds == 0 && f.later_at_ds == 0) text += fmt::format(" No {} succeeded afterwards.", e.op);
    return text;
  }

  std::string title(const OwnedEvent& e) const { return lanes_.all()[lanes_.client(e)].title; }

  const Run& run_;
  const Lanes& lanes_;
  const FileNames& names_;
  std::map<Key, Refused> refused_;
  std::map<Key, FailedIo> failed_io_;
};

}  // namespace

void summarize(Run& run, const Lanes& lanes, const FileNames& names) {
  count_traffic(run, lanes);
  count_failures(run);
  run.fallbacks = Followed(run, lanes, names).sentences();
  std::set<std::pair<std::string, uint64_t>> calls;
  for (const OwnedEvent& e : run.events)
    if (e.call && (e.kind == Kind::op || e.kind == Kind::rpc)) calls.emplace(e.node, *e.call);
  run.calls = calls.size();
}

}  // namespace pnfs::report
