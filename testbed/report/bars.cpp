#include "testbed/report/bars.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace pnfs::report {

namespace {

using trace::Kind;
using trace::OwnedEvent;

std::string_view other_of(const OwnedEvent& e) {
  return std::string_view(e.stateid).substr(e.stateid.find('/') + 1);
}

class Drawer {
 public:
  Drawer(const Lanes& lanes, const FileNames& names) : lanes_(lanes), names_(names) {}

  void take(const OwnedEvent& e, int64_t at) {
    if (e.kind == Kind::fault && !e.fault.empty()) return hit(e, at);
    if (e.kind != Kind::state) return;
    const std::string_view op = e.op;
    if (op == "session.created") {
      begin(Bar::Kind::session, key(e, "session", e.session), fmt::format("session at {}", e.node), e, at);
    } else if (op == "session.destroyed") {
      end(key(e, "session", e.session), at, "DESTROY_SESSION");
    } else if (op == "open.granted") {
      begin(Bar::Kind::open, key(e, "open", other_of(e)), "open of " + file_text(e, names_), e, at);
    } else if (op == "open.closed") {
      closed(e, at);
    } else if (op == "lock.granted") {
      begin(Bar::Kind::lock, key(e, "lock", other_of(e)), "locks of " + file_text(e, names_), e, at);
    } else if (op == "delegation.granted") {
      begin(Bar::Kind::delegation, key(e, "delegation", other_of(e)),
            fmt::format("{} delegation of {}", e.iomode, file_text(e, names_)), e, at);
    } else if (op == "delegation.returned" || op == "delegation.revoked") {
      end(key(e, "delegation", other_of(e)), at, op == "delegation.revoked" ? "revoked" : "DELEGRETURN");
    } else if (op == "layout.granted") {
      begin(Bar::Kind::layout, key(e, "layout", std::string(other_of(e)) + e.iomode),
            fmt::format("{} layout of {}", e.iomode, file_text(e, names_)), e, at);
    } else if (op == "layout.returned") {
      returned(e, at);
    } else if (op == "layout.revoked") {
      end_all([&](const Open& o) { return is(o, Bar::Kind::layout, e) && o.fileid == e.fileid; }, at, "revoked");
    } else if (op == "stateid.freed") {
      for (const char* kind : {"lock", "delegation", "open"}) end(key(e, kind, other_of(e)), at, "FREE_STATEID");
    } else if (op == "client.expired") {
      end_all([&](const Open& o) { return o.client == lanes_.client(e) && o.node == e.node; }, at, "the client expired");
    }
  }

  std::vector<Bar> finish(int64_t last) {
    for (Bar& bar : bars_)
      if (!bar.ended && bar.kind != Bar::Kind::fault) bar.end = last;
    return std::move(bars_);
  }

 private:
  struct Open {  // a bar that has not ended
    size_t bar;
    Bar::Kind kind;
    size_t client;  // lane
    std::string node;
    std::optional<uint64_t> fileid;
    bool return_on_close = false;
  };

  static std::string key(const OwnedEvent& e, std::string_view kind, std::string_view id) {
    return fmt::format("{} {} {}", e.node, kind, id);
  }
  bool is(const Open& o, Bar::Kind kind, const OwnedEvent& e) const {
    return o.kind == kind && o.client == lanes_.client(e) && o.node == e.node;
  }

  void begin(Bar::Kind kind, std::string key, std::string label, const OwnedEvent& e, int64_t at) {
    if (open_.contains(key)) return;  // it grew or changed
    const std::string id = kind == Bar::Kind::session ? e.session : std::string(other_of(e));
    open_[key] = {bars_.size(), kind, lanes_.client(e), e.node, e.fileid, e.args.find("return_on_close") != std::string::npos};
    bars_.push_back({.kind = kind, .label = std::move(label), .lane = lanes_.client(e), .detail = id, .begin = at, .end = at});
  }

  void finish_one(const Open& o, int64_t at, std::string_view how) {
    Bar& bar = bars_[o.bar];
    bar.end = at;
    bar.ended = true;
    bar.how = how;
  }
  void end(const std::string& key, int64_t at, std::string_view how) {
    const auto found = open_.find(key);
    if (found == open_.end()) return;
    finish_one(found->second, at, how);
    open_.erase(found);
  }
  template <class F>
  void end_all(F&& which, int64_t at, std::string_view how) {
    std::erase_if(open_, [&](const auto& entry) {
      const bool hit = which(entry.second);
      if (hit) finish_one(entry.second, at, how);
      return hit;
    });
  }

  // RFC 8881 18.2.3: locks go with the open; 12.5.5.1: with the last open what was granted to return on close.
  void closed(const OwnedEvent& e, int64_t at) {
    end(key(e, "open", other_of(e)), at, "CLOSE");
    const bool still = std::ranges::any_of(open_, [&](const auto& entry) {
      return is(entry.second, Bar::Kind::open, e) && entry.second.fileid == e.fileid;
    });
    if (still) return;
    end_all(
        [&](const Open& o) {
          return o.fileid == e.fileid &&
                 (is(o, Bar::Kind::lock, e) || (is(o, Bar::Kind::layout, e) && o.return_on_close));
        },
        at, "CLOSE");
  }

  void returned(const OwnedEvent& e, int64_t at) {
    if (e.args == "part") return;
    const bool all = e.args == "all";
    end_all(
        [&](const Open& o) {
          if (!is(o, Bar::Kind::layout, e)) return false;
          return all || o.fileid == e.fileid || bars_[o.bar].detail == other_of(e);
        },
        at, "LAYOUTRETURN");
  }

  void hit(const OwnedEvent& e, int64_t at) {
    const auto [found, fresh] = rules_.emplace(e.node + " " + e.fault, bars_.size());
    if (fresh)
      bars_.push_back({.kind = Bar::Kind::fault, .label = e.fault, .lane = lanes_.node(e.node), .detail = e.node, .begin = at});
    Bar& bar = bars_[found->second];
    bar.end = at;
    bar.ended = true;
    bar.hits.push_back(at);
    bar.how = fmt::format("acted {} time{}", bar.hits.size(), bar.hits.size() == 1 ? "" : "s");
  }

  const Lanes& lanes_;
  const FileNames& names_;
  std::vector<Bar> bars_;
  std::map<std::string, Open> open_;
  std::map<std::string, size_t> rules_;
};

}  // namespace

std::string_view to_string(Bar::Kind kind) {
  switch (kind) {
    case Bar::Kind::fault:
      return "fault";
    case Bar::Kind::session:
      return "session";
    case Bar::Kind::open:
      return "open";
    case Bar::Kind::lock:
      return "lock";
    case Bar::Kind::delegation:
      return "delegation";
    case Bar::Kind::layout:
      return "layout";
  }
  return "?";
}

std::string file_text(const OwnedEvent& e, const FileNames& names) {
  if (!e.path.empty()) return e.path;
  if (!e.fileid) return "";
  const auto name = names.find(*e.fileid);
  return name == names.end() ? fmt::format("file {}", *e.fileid) : name->second;
}

std::vector<Bar> make_bars(std::span<const OwnedEvent> events, std::span<const int64_t> times, const Lanes& lanes,
                           const FileNames& names) {
  Drawer drawer(lanes, names);
  for (size_t i = 0; i < events.size(); ++i) drawer.take(events[i], times[i]);
  return drawer.finish(times.empty() ? 0 : times.back());
}

}  // namespace pnfs::report
