#include <charconv>

#include "common/block/iscsi_block_store.hpp"

namespace pnfs::block {

namespace {
constexpr char kForm[] = "iscsi://[user%password@]host[:port]/iqn/lun[?target_user=U&target_password=P]";

template <class T>
bool parse_number(std::string_view text, T& value) {
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  return failed == std::errc() && end == text.data() + text.size() && !text.empty();
}
// "target_user=U&target_password=P": both or none, and only beside the initiator's own (RFC 7143 12.1.3).
Result<void> parse_options(std::string_view text, IscsiUrl& url) {
  while (!text.empty()) {
    const std::string_view option = text.substr(0, text.find('&'));
    text.remove_prefix(std::min(option.size() + 1, text.size()));
    const size_t equals = option.find('=');
    const std::string_view name = option.substr(0, equals);
    const std::string_view value = equals == option.npos ? "" : option.substr(equals + 1);
    if (name == "target_user") {
      url.target_user = value;
    } else if (name == "target_password") {
      url.target_password = value;
    } else {
      return error(Errc::invalid, "an option of the iSCSI URL is unknown: expected {}", kForm);
    }
  }
  if (url.target_user.empty() != url.target_password.empty() || (!url.target_user.empty() && url.user.empty()))
    return error(Errc::invalid, "mutual CHAP needs a user and a password of both sides: expected {}", kForm);
  return {};
}

}  // namespace

std::string IscsiUrl::portal() const {
  const bool v6 = host.find(':') != host.npos;
  return fmt::format("{}{}{}:{}", v6 ? "[" : "", host, v6 ? "]" : "", port);
}

std::string IscsiUrl::display() const {
  return fmt::format("iscsi://{}/{}/{}", portal(), target, lun);
}

Result<IscsiUrl> parse_iscsi_url(std::string_view text) {
  // The text may hold a password: messages show only what is wrong.
  IscsiUrl url;
  constexpr std::string_view kScheme = "iscsi://";
  if (!text.starts_with(kScheme)) return error(Errc::invalid, "not an iSCSI URL: expected {}", kForm);
  text.remove_prefix(kScheme.size());
  const size_t slash = text.find('/');
  if (slash == text.npos) return error(Errc::invalid, "the URL names no target: expected {}", kForm);
  std::string_view authority = text.substr(0, slash);
  const std::string_view rest = text.substr(slash + 1);
  const std::string_view path = rest.substr(0, rest.find('?'));
  if (const size_t at = authority.rfind('@'); at != authority.npos) {
    const std::string_view login = authority.substr(0, at);
    authority.remove_prefix(at + 1);
    const size_t percent = login.find('%');
    url.user = login.substr(0, percent);
    if (percent != login.npos) url.password = login.substr(percent + 1);
    if (url.user.empty() || url.password.empty()) {
      return error(Errc::invalid, "CHAP needs a user and a password: expected {}", kForm);
    }
  }
  std::string_view port;
  if (authority.starts_with('[')) {
    const size_t close = authority.find(']');
    if (close == authority.npos) return error(Errc::invalid, "an IPv6 address lacks its ']': expected {}", kForm);
    url.host = authority.substr(1, close - 1);
    port = authority.substr(close + 1);
  } else {
    const size_t colon = authority.find(':');
    url.host = authority.substr(0, colon);
    if (colon != authority.npos) port = authority.substr(colon);
  }
  if (url.host.empty()) return error(Errc::invalid, "the URL names no host: expected {}", kForm);
  if (!port.empty() && (port[0] != ':' || !parse_number(port.substr(1), url.port) || url.port == 0)) {
    return error(Errc::invalid, "'{}' is not a port: expected {}", port, kForm);
  }
  const size_t last = path.rfind('/');
  if (last == path.npos || last == 0) return error(Errc::invalid, "the URL names no LUN: expected {}", kForm);
  url.target = path.substr(0, last);
  if (!parse_number(path.substr(last + 1), url.lun) || url.lun > 16383) {
    return error(Errc::invalid, "'{}' is not a LUN (0 to 16383)", path.substr(last + 1));
  }
  if (path.size() < rest.size()) {
    if (auto ok = parse_options(rest.substr(path.size() + 1), url); !ok) return ok.error();
  }
  return url;
}

}  // namespace pnfs::block
