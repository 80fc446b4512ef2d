#include "common/trace/format.hpp"

#include <fmt/format.h>

#include <iterator>

#include "common/trace/reading.hpp"

namespace pnfs::trace {

namespace {

constexpr std::string_view kReset = "\x1b[0m";
constexpr uint64_t kAll = ~uint64_t{0};

struct Line {
  std::string out;
  bool colours;

  template <class... Args>
  void add(fmt::format_string<Args...> text, Args&&... args) {
    fmt::format_to(std::back_inserter(out), text, std::forward<Args>(args)...);
  }
  // From outside: nothing that a terminal would act upon.
  void text(std::string_view s) {
    for (char c : s) out += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '?' : c;
  }
  void coloured(std::string_view colour, std::string_view s) {
    if (colours) out += colour;
    text(s);
    if (colours) out += kReset;
  }
  void pad_to(size_t start, size_t width) {
    // Colour codes take no room on the screen.
    size_t shown = 0;
    for (size_t i = start; i < out.size(); ++i) {
      if (out[i] == '\x1b') {
        while (i < out.size() && out[i] != 'm') ++i;
      } else {
        ++shown;
      }
    }
    if (shown < width) out.append(width - shown, ' ');
  }
};

void add_time(Line& line, WallTime ts, const FormatOptions& options) {
  const int64_t local = ts.seconds + options.utc_offset_minutes * 60;
  int64_t days = local / 86400, second = local % 86400;
  if (second < 0) {
    second += 86400;
    --days;
  }
  if (options.date) {
    const std::chrono::year_month_day date{std::chrono::sys_days{std::chrono::days{days}}};
    line.add("{:04}-{:02}-{:02} ", static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
             static_cast<unsigned>(date.day()));
  }
  line.add("{:02}:{:02}:{:02}.{:06} ", second / 3600, second / 60 % 60, second % 60, ts.nanoseconds / 1000);
}

void add_range(Line& line, const Event& e) {
  if (!e.iomode.empty()) {
    line.text(e.iomode);
    line.out += ' ';
  }
  if (e.offset || e.length) {
    line.add("{}+", e.offset.value_or(0));
    if (e.length == kAll) {
      line.out += "all ";
    } else {
      line.add("{} ", e.length.value_or(0));
    }
  }
  if (e.bytes) line.add("bytes={} ", *e.bytes);
}

}  // namespace

std::string format_line(const Event& e, const FormatOptions& options) {
  Line line{{}, options.colours};
  add_time(line, e.ts, options);
  size_t start = line.out.size();
  line.coloured("\x1b[36m", e.node);
  line.pad_to(start, 7);
  start = line.out.size();
  if (e.kind != Kind::op && e.kind != Kind::callback) line.add("{}:", to_string(e.kind));
  line.coloured("\x1b[1m", e.op);
  line.pad_to(start, 20);
  line.out += ' ';
  if (e.slot) line.add("slot={} ", *e.slot);
  if (e.seq) line.add("seq={} ", *e.seq);
  add_range(line, e);
  if (!e.path.empty()) {
    line.text(e.path);
    line.out += ' ';
  } else if (e.fileid) {
    line.add("fileid={} ", *e.fileid);
  }
  if (!e.stateid.empty()) {
    line.out += "stateid=";
    line.text(e.stateid);
    line.out += ' ';
  }
  if (!e.args.empty()) {
    line.text(e.args);
    line.out += ' ';
  }
  line.coloured(is_good(e.status) ? "\x1b[32m" : "\x1b[31m", e.status);
  if (!e.reason.empty()) {
    line.out += e.status.empty() ? "" : ": ";
    line.text(e.reason);
  }
  if (!e.section.empty()) line.add(" [{}]", e.section);
  if (!e.fault.empty()) {
    line.out += "  ";
    line.coloured("\x1b[35m", e.fault);
  }
  if (!e.client.empty() || !e.client_addr.empty()) {
    line.out += "  client=";
    line.text(e.client.empty() ? e.client_addr : e.client);
  }
  if (!e.cause.empty()) {
    line.out += "  cause=";
    line.text(e.cause);
  }
  if (e.us) line.add("  {}us", *e.us);
  while (!line.out.empty() && line.out.back() == ' ') line.out.pop_back();
  return line.out;
}

}  // namespace pnfs::trace
