#include "testbed/report/page.hpp"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <array>
#include <nlohmann/json.hpp>

#include "common/base/markup.hpp"
#include "testbed/report/ladder_text.hpp"
#include "testbed/report/page_parts.hpp"

namespace pnfs::report {

namespace {

using nlohmann::json;

// 'sha256-...' of an inline part: the page's policy allows these parts and nothing else.
std::string policy_hash(std::string_view part) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
  unsigned bytes = 0;
  EVP_Digest(part.data(), part.size(), digest.data(), &bytes, EVP_sha256(), nullptr);
  std::array<unsigned char, 2 * EVP_MAX_MD_SIZE> text;
  const int length = EVP_EncodeBlock(text.data(), digest.data(), static_cast<int>(bytes));
  return fmt::format("'sha256-{}'",
                     std::string_view(reinterpret_cast<const char*>(text.data()), static_cast<size_t>(length)));
}

// Every field of an event, as text or number; 64-bit numbers as text, because JavaScript has doubles.
json fields_of(const trace::OwnedEvent& event) {
  json fields = json::object();
  fields["kind"] = trace::to_string(event.kind);
  trace::each_field(event, [&](std::string_view name, const auto& field) {
    if constexpr (std::is_convertible_v<decltype(field), std::string_view>) {
      if (!field.empty()) fields[std::string(name)] = field;
    } else {
      if (field) fields[std::string(name)] = std::to_string(*field);
    }
  });
  return fields;
}

json to_json(const Run& run) {
  json out{{"title", run.title},     {"length", run.length_us}, {"leftOut", run.left_out},
           {"lanes", json::array()}, {"rows", json::array()},   {"bars", json::array()}};
  for (const Lane& lane : run.lanes)
    out["lanes"].push_back({{"title", lane.title}, {"client", lane.client}, {"id", lane.id}});
  for (const Row& row : run.rows) {
    json line{
        {"t", row.us}, {"from", row.from}, {"to", row.to}, {"words", words_of(row)}, {"e", fields_of(*row.event)}};
    if (!row.good) line["bad"] = true;
    if (row.plumbing) line["plumbing"] = true;
    if (!row.file.empty()) line["file"] = row.file;
    out["rows"].push_back(std::move(line));
  }
  for (const Bar& bar : run.bars) {
    out["bars"].push_back({{"kind", to_string(bar.kind)},
                           {"label", bar.label},
                           {"lane", bar.lane},
                           {"detail", bar.detail},
                           {"begin", bar.begin},
                           {"end", bar.end},
                           {"ended", bar.ended},
                           {"how", bar.how},
                           {"hits", bar.hits}});
  }
  return out;
}

// Inside <script> nothing may look like markup.
std::string script_safe(const json& value) {
  const std::string text = value.dump(-1, ' ', false, json::error_handler_t::replace);
  std::string out;
  for (const char c : text) {
    if (c == '<') {
      out += "\\u003c";
    } else {
      out += c;
    }
  }
  return out;
}

std::string traffic_rows(const Run& run) {
  std::string out;
  for (const Traffic& t : run.traffic) {
    out += fmt::format(
        "<tr><th scope=\"row\">{}</th><td>{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td>"
        "<td class=\"n\">{}</td><td class=\"n\">{}</td></tr>\n",
        escape_markup(run.sender(t)), escape_markup(run.lanes[t.to].title), t.reads, human_bytes(t.read_bytes),
        t.writes, human_bytes(t.written_bytes));
  }
  return out.empty() ? "<tr><td colspan=\"6\">nobody moved a byte</td></tr>" : out;
}

std::string failure_rows(const Run& run) {
  std::string out;
  for (const Failure& f : run.failures) {
    out += fmt::format(
        "<tr><td class=\"n\">{}</td><th scope=\"row\">{}</th><td>{}</td><td class=\"bad\">{}</td><td>{}{}</td></tr>\n",
        f.count, escape_markup(f.node), escape_markup(f.op), escape_markup(f.status), escape_markup(f.reason),
        f.section.empty() ? "" : escape_markup(" [RFC 8881 " + f.section + "]"));
  }
  return out.empty() ? "<tr><td colspan=\"5\">no error</td></tr>" : out;
}

std::string fallback_items(const Run& run) {
  std::string out;
  for (const std::string& sentence : run.fallbacks) out += "<li>" + escape_markup(sentence) + "</li>\n";
  return out.empty() ? "<li>Nothing: no layout was refused and no data server failed a request.</li>" : out;
}

// "{{name}}" in the page stands for a value.
std::string filled(std::string_view page, const std::vector<std::pair<std::string_view, std::string>>& values) {
  std::string out;
  for (size_t at = 0;;) {
    const size_t open = page.find("{{", at);
    out += page.substr(at, open - at);
    if (open == page.npos) return out;
    const size_t close = page.find("}}", open);
    const std::string_view name = page.substr(open + 2, close - open - 2);
    for (const auto& [key, value] : values)
      if (key == name) out += value;
    at = close + 2;
  }
}

}  // namespace

std::string to_page(const Run& run) {
  const std::string policy =
      fmt::format("default-src 'none'; script-src {}; style-src {}; base-uri 'none'; form-action 'none'",
                  policy_hash(kPage_js), policy_hash(kPage_css));
  const WallTime began = run.first == nullptr ? WallTime{} : run.first->ts;
  const std::chrono::sys_seconds at{std::chrono::seconds(began.seconds)};
  const auto day = std::chrono::floor<std::chrono::days>(at);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss clock{at - day};
  return filled(kPage_html,
                {{"policy", policy},
                 {"title", escape_markup(run.title)},
                 {"css", std::string(kPage_css)},
                 {"js", std::string(kPage_js)},
                 {"began", fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02} UTC", static_cast<int>(date.year()),
                                       static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                                       clock.hours().count(), clock.minutes().count(), clock.seconds().count())},
                 {"seconds", fmt::format("{:.3f}", static_cast<double>(run.length_us) / 1e6)},
                 {"events", std::to_string(run.events.size())},
                 {"calls", std::to_string(run.calls)},
                 {"errors", std::to_string([&] {
                    uint64_t all = 0;
                    for (const Failure& f : run.failures) all += f.count;
                    return all;
                  }())},
                 {"fallbacks", fallback_items(run)},
                 {"traffic", traffic_rows(run)},
                 {"failures", failure_rows(run)},
                 {"data", script_safe(to_json(run))}});
}

}  // namespace pnfs::report
