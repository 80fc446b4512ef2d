#include "mds/exports.hpp"

#include <algorithm>
#include <charconv>

namespace pnfs::mds {

namespace {

constexpr std::string_view kLooksLike = "a rule looks like 10.1.0.0/16(rw,no_root_squash)";

using io::asio::ip::address;

// A client of a v6 listener that came by v4 is the same client.
address plain(const address& from) {
  if (!from.is_v6() || !from.to_v6().is_v4_mapped()) return from;
  return make_address_v4(io::asio::ip::v4_mapped, from.to_v6());
}

template <class Bytes>
bool same_front(const Bytes& a, const Bytes& b, unsigned bits) {
  const unsigned whole = bits / 8, rest = bits % 8;
  if (!std::equal(a.begin(), a.begin() + whole, b.begin())) return false;
  return rest == 0 || ((a[whole] ^ b[whole]) >> (8 - rest)) == 0;
}

template <class Number>
bool read_number(std::string_view text, Number& out) {
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), out);
  return !text.empty() && problem == std::errc{} && end == text.data() + text.size();
}

Result<void> read_client(std::string_view text, ExportRule& rule) {
  if (text == "*") return {};
  const size_t slash = text.find('/');
  boost::system::error_code problem;
  const address network = io::asio::ip::make_address(std::string(text.substr(0, slash)), problem);
  if (problem) return error(Errc::invalid, "'{}' is no address, network or *; {}", text, kLooksLike);
  const unsigned most = network.is_v4() ? 32 : 128;
  rule.network = network;
  rule.bits = most;
  if (slash == std::string_view::npos) return {};
  if (!read_number(text.substr(slash + 1), rule.bits) || rule.bits > most) {
    return error(Errc::invalid, "'{}': a network has 0 to {} bits; {}", text, most, kLooksLike);
  }
  return {};
}

Result<void> read_option(std::string_view word, ExportRule& rule) {
  Squash& squash = rule.squash;
  if (word == "ro" || word == "rw") {
    rule.read_only = word == "ro";
  } else if (word == "root_squash" || word == "no_root_squash") {
    squash.root = word == "root_squash";
  } else if (word == "all_squash" || word == "no_all_squash") {
    squash.all = word == "all_squash";
  } else if (word.starts_with("anonuid=") || word.starts_with("anongid=")) {
    uint32_t& number = word.starts_with("anonuid=") ? squash.anonymous_uid : squash.anonymous_gid;
    if (!read_number(word.substr(8), number)) return error(Errc::invalid, "'{}' needs a number", word);
  } else {
    return error(Errc::invalid,
                 "'{}' is none of ro, rw, root_squash, no_root_squash, all_squash, no_all_squash, anonuid=N, anongid=N",
                 word);
  }
  return {};
}

}  // namespace

bool ExportRule::matches(const address& client) const {
  if (!network) return true;
  const address is = plain(client);
  if (is.is_v4() != network->is_v4()) return false;
  if (is.is_v4()) return same_front(is.to_v4().to_bytes(), network->to_v4().to_bytes(), bits);
  return same_front(is.to_v6().to_bytes(), network->to_v6().to_bytes(), bits);
}

Result<ExportRule> parse_export_rule(std::string_view text) {
  ExportRule rule;
  rule.read_only = true;
  rule.squash.root = true;
  const size_t open = text.find('(');
  if (open != std::string_view::npos && !text.ends_with(')')) {
    return error(Errc::invalid, "'{}' lacks the closing bracket; {}", text, kLooksLike);
  }
  if (auto read = read_client(text.substr(0, open), rule); !read) return read.error();
  std::string_view words = open == std::string_view::npos ? "" : text.substr(open + 1, text.size() - open - 2);
  while (!words.empty()) {
    const size_t comma = words.find(',');
    if (auto read = read_option(words.substr(0, comma), rule); !read) return read.error().with_context(text);
    words.remove_prefix(comma == std::string_view::npos ? words.size() : comma + 1);
  }
  return rule;
}

const ExportRule* Exports::find(const address& client) const {
  const auto rule = std::ranges::find_if(rules_, [&](const ExportRule& each) { return each.matches(client); });
  return rule == rules_.end() ? nullptr : &*rule;
}

}  // namespace pnfs::mds
