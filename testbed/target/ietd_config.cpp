#include "testbed/target/ietd_config.hpp"

#include <algorithm>
#include <fstream>
#include <sstream>

#include "testbed/target/text.hpp"

namespace pnfs::target {

namespace {

std::string lower(std::string_view text) {
  return normal_name(text);
}

std::vector<std::string_view> words_of(std::string_view line) {
  std::vector<std::string_view> words;
  while (true) {
    const size_t first = line.find_first_not_of(" \t\r");
    if (first == line.npos) return words;
    const size_t end = std::min(line.find_first_of(" \t\r", first), line.size());
    words.push_back(line.substr(first, end - first));
    line.remove_prefix(end);
  }
}

// Values are Yes and No exactly, as ietd wants them.
Result<bool> yes_or_no(std::string_view value) {
  if (value == "Yes") return true;
  if (value == "No") return false;
  return error(Errc::invalid, "expected Yes or No, found '{}'", value);
}

class Parser {
 public:
  explicit Parser(std::string name) : name_(std::move(name)) {}

  Result<IetdConfig> parse(std::string_view text) {
    std::string logical;
    int first_line = 1;
    for (int number = 1; !text.empty(); ++number) {
      const size_t end = std::min(text.find('\n'), text.size());
      std::string_view line = text.substr(0, end);
      text.remove_prefix(std::min(end + 1, text.size()));
      if (line.ends_with('\r')) line.remove_suffix(1);
      if (logical.empty()) {
        first_line = number;
        if (line.starts_with('#')) continue;  // elsewhere # is part of a value
      }
      if (line.ends_with('\\')) {
        logical += line.substr(0, line.size() - 1);
        logical += ' ';
        continue;
      }
      logical += line;
      line_ = first_line;
      if (auto ok = directive(words_of(logical)); !ok)
        return error(Errc::invalid, "{}:{}: {}", name_, first_line, ok.error().reason);
      logical.clear();
    }
    if (!logical.empty())
      return error(Errc::invalid, "{}:{}: the last line ends with a continuation", name_, first_line);
    if (result_.config.targets.empty()) return error(Errc::invalid, "{}: no Target is configured", name_);
    return std::move(result_);
  }

 private:
  using Words = std::vector<std::string_view>;

  TargetSpec& target() { return result_.config.targets.back(); }
  bool in_target() const { return !result_.config.targets.empty(); }
  void note(std::string_view directive, std::string_view why) {
    result_.notes.push_back(fmt::format("{}:{}: {} {}", name_, line_, directive, why));
  }

  Result<void> directive(const Words& words) {
    if (words.empty()) return {};
    const std::string key = lower(words[0]);
    if (key == "target") return begin_target(words);
    if (key == "incominguser" || key == "outgoinguser") return user(key, words);
    if (key == "isnsserver" || key == "isnsaccesscontrol") {
      note(words[0], "has no effect: the emulated target does not register with an iSNS server");
      return {};
    }
    if (!in_target()) return error(Errc::invalid, "'{}' is not a global directive; a Target must come first", words[0]);
    if (key == "lun") return lun(words);
    if (words.size() != 2) return error(Errc::invalid, "'{}' takes one value", words[0]);
    return setting(key, words[0], words[1]);
  }

  Result<void> begin_target(const Words& words) {
    if (words.size() != 2) return error(Errc::invalid, "'Target' takes one name");
    if (auto ok = check_iscsi_name(words[1]); !ok) return ok;
    const std::string name = normal_name(words[1]);
    for (const TargetSpec& other : result_.config.targets) {
      if (other.config.rules.name == name) return error(Errc::exists, "target '{}' is configured twice", name);
    }
    TargetSpec& spec = result_.config.targets.emplace_back();
    spec.config.rules.name = name;
    // IET's defaults; the emulated target may take more than IET did in one PDU, which no initiator minds.
    SessionOffer& offer = spec.config.rules.offer;
    offer.header_digest = DigestOffer::none;
    offer.data_digest = DigestOffer::none;
    offer.initial_r2t = true;
    offer.max_recv_data_bytes = 8192;
    offer.max_send_data_bytes = 8192;
    offer.max_burst_bytes = 262144;
    offer.first_burst_bytes = 65536;
    offer.max_outstanding_r2t = 1;
    spec.config.queue_depth = 32;
    spec.config.nop_interval_s = 0;
    return {};
  }

  Result<void> user(const std::string& key, const Words& words) {
    if (words.size() != 3) return error(Errc::invalid, "'{}' takes a name and a password", words[0]);
    const ChapUser account{std::string(words[1]), std::string(words[2])};
    LoginRules& rules = in_target() ? target().config.rules : result_.config.server.discovery;
    if (key == "incominguser") {
      rules.incoming.push_back(account);
      return {};
    }
    if (rules.outgoing) return error(Errc::exists, "there can be one OutgoingUser here");
    rules.outgoing = account;
    return {};
  }

  Result<void> digest(std::string_view value, DigestOffer& into) {
    bool none = false;
    bool crc = false;
    for (const std::string_view each : split_list(value)) {
      if (each == "None") {
        none = true;
      } else if (each == "CRC32C") {
        crc = true;
      } else {
        return error(Errc::invalid, "expected None or CRC32C, found '{}'", each);
      }
    }
    into = none && crc ? DigestOffer::either : crc ? DigestOffer::crc32c : DigestOffer::none;
    return {};
  }

  Result<void> number(std::string_view value, uint32_t low, uint32_t high, uint32_t& into) {
    const auto parsed = parse_number(value, low, high);
    if (!parsed) return parsed.error();
    into = *parsed;
    return {};
  }

  Result<void> flag(std::string_view value, bool& into) {
    const auto parsed = yes_or_no(value);
    if (!parsed) return parsed.error();
    into = *parsed;
    return {};
  }

  // What RFC 7143 lets be only one way here.
  Result<void> fixed(std::string_view key, std::string_view value, std::string_view only) {
    if (value == only) return {};
    return error(Errc::unsupported, "'{}' can only be {}", key, only);
  }

  Result<void> setting(const std::string& key, std::string_view written, std::string_view value) {
    auto done = set(key, written, value);
    if (!done) return done.error().with_context(written);
    return {};
  }

  Result<void> set(const std::string& key, std::string_view written, std::string_view value) {
    TargetConfig& config = target().config;
    SessionOffer& offer = config.rules.offer;
    uint32_t unused = 0;
    if (key == "alias") {
      config.rules.alias = value.substr(0, 255);
      return {};
    }
    if (key == "maxsessions") return number(value, 0, 65535, config.max_sessions);
    if (key == "headerdigest") return digest(value, offer.header_digest);
    if (key == "datadigest") return digest(value, offer.data_digest);
    if (key == "initialr2t") return flag(value, offer.initial_r2t);
    if (key == "immediatedata") return flag(value, offer.immediate_data);
    if (key == "maxconnections") {
      if (auto ok = number(value, 1, 65535, unused); !ok) return ok;
      if (unused > 1) note(written, "is taken as 1: a session has one connection here");
      return {};
    }
    if (key == "maxrecvdatasegmentlength") return number(value, 512, 262144, offer.max_recv_data_bytes);
    if (key == "maxxmitdatasegmentlength") return number(value, 512, 262144, offer.max_send_data_bytes);
    if (key == "maxburstlength") return number(value, 512, 16777215, offer.max_burst_bytes);
    if (key == "firstburstlength") return number(value, 512, 16777215, offer.first_burst_bytes);
    if (key == "maxoutstandingr2t") return number(value, 1, 256, offer.max_outstanding_r2t);
    if (key == "defaulttime2wait") return number(value, 0, 3600, offer.time_to_wait_s);
    if (key == "defaulttime2retain") return number(value, 0, 3600, offer.time_to_retain_s);
    if (key == "datapduinorder" || key == "datasequenceinorder") return fixed(written, value, "Yes");
    if (key == "errorrecoverylevel") return fixed(written, value, "0");
    if (key == "nopinterval") return number(value, 0, 90, config.nop_interval_s);
    if (key == "noptimeout") return number(value, 0, 90, config.nop_timeout_s);
    if (key == "queuedcommands") return number(value, 1, 256, config.queue_depth);
    if (key == "wthreads") {
      note(written, "has no effect: one thread serves all");
      return number(value, 1, 1024, unused);
    }
    return error(Errc::invalid, "is not a directive of ietd.conf");
  }

  Result<void> lun(const Words& words) {
    if (words.size() < 3) return error(Errc::invalid, "write 'Lun N Path=...,Type=fileio'");
    std::string parameters(words[2]);
    for (size_t i = 3; i < words.size(); ++i) {
      // Only a comma says that the list goes on, on this line or the next.
      if (!parameters.ends_with(','))
        return error(Errc::invalid, "write 'Lun N Path=...,Type=fileio' with no blanks between the parameters");
      parameters += words[i];
    }
    UnitSpec spec;
    spec.unit.cache = scsi::CacheMode::write_through;  // as ietd
    const auto id = parse_number(words[1], 0, 16383);
    if (!id) return id.error().with_context("Lun");
    spec.unit.lun = *id;
    uint64_t sectors = 0;
    for (const std::string_view item : split_list(parameters)) {
      const size_t equals = item.find('=');
      if (equals == item.npos) return error(Errc::invalid, "'{}' is not Name=value", item);
      const std::string_view value = item.substr(equals + 1);
      if (auto ok = lun_setting(spec, sectors, lower(item.substr(0, equals)), value); !ok)
        return ok.error().with_context(item.substr(0, equals));
    }
    const bool null = spec.type == UnitSpec::Type::nullio;
    if (null && sectors == 0) return error(Errc::invalid, "a nullio Lun needs Sectors=N or Blocks=N");
    if (!null && spec.path.empty()) return error(Errc::invalid, "Lun {} needs a Path", *id);
    if (sectors > 0) spec.size_bytes = sectors * spec.unit.block_bytes;
    for (const UnitSpec& other : target().units) {
      if (other.unit.lun == *id) return error(Errc::exists, "Lun {} is configured twice", *id);
    }
    target().units.push_back(std::move(spec));
    return {};
  }

  Result<void> lun_setting(UnitSpec& spec, uint64_t& sectors, const std::string& key, std::string_view value) {
    scsi::UnitConfig& unit = spec.unit;
    if (key == "path") {
      spec.path = value;
      return {};
    }
    if (key == "type") {
      if (value == "fileio") return set_type(spec, UnitSpec::Type::fileio);
      if (value == "blockio") return set_type(spec, UnitSpec::Type::blockio);
      if (value == "nullio") return set_type(spec, UnitSpec::Type::nullio);
      return error(Errc::invalid, "expected fileio, blockio or nullio, found '{}'", value);
    }
    if (key == "scsiid" || key == "scsisn") {
      if (value.empty() || value.size() > 16) return error(Errc::invalid, "must have 1 to 16 characters");
      (key == "scsiid" ? unit.scsi_id : unit.serial) = value;
      return {};
    }
    if (key == "iomode") return io_mode(unit, value);
    if (key == "blocksize") {
      if (value != "512" && value != "4096") return error(Errc::invalid, "expected 512 or 4096, found '{}'", value);
      unit.block_bytes = value == "512" ? 512 : 4096;
      return {};
    }
    if (key == "sectors" || key == "blocks") {
      uint32_t count = 0;
      auto ok = number(value, 1, UINT32_MAX, count);
      sectors = count;
      return ok;
    }
    if (key == "size" || key == "sanitizerate") {
      const auto size = parse_size(value);
      if (!size) return size.error();
      (key == "size" ? spec.size_bytes : unit.sanitize_bytes_per_s) = *size;
      return {};
    }
    if (key == "thin") return flag(value, unit.thin);
    if (key == "removable") return flag(value, unit.removable);
    return error(Errc::invalid, "is not a parameter of Lun");
  }

  static Result<void> set_type(UnitSpec& spec, UnitSpec::Type type) {
    spec.type = type;
    return {};
  }

  static Result<void> io_mode(scsi::UnitConfig& unit, std::string_view value) {
    if (value == "ro") {
      unit.read_only = true;
    } else if (value == "wb") {
      unit.cache = scsi::CacheMode::write_back;
    } else if (value == "volatile") {
      unit.cache = scsi::CacheMode::volatile_memory;
    } else if (value != "wt") {
      return error(Errc::invalid, "expected wb, wt, ro or volatile, found '{}'", value);
    }
    return {};
  }

  std::string name_;
  int line_ = 0;
  IetdConfig result_;
};

Result<std::string> read_file(const std::string& path) {
  std::ifstream in(path);
  if (!in) return error(Errc::not_found, "cannot read {}: {}", path, std::strerror(errno));
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

}  // namespace

Result<IetdConfig> parse_ietd_config(std::string_view text, const std::string& name) {
  return Parser(name).parse(text);
}

Result<IetdConfig> load_ietd_config(const std::string& path) {
  const auto text = read_file(path);
  if (!text) return text.error();
  auto parsed = parse_ietd_config(*text, path);
  if (!parsed) return parsed;
  const size_t slash = path.rfind('/');
  const std::string folder = slash == path.npos ? "" : path.substr(0, slash + 1);
  if (const auto allow = read_file(folder + "initiators.allow"); allow) {
    const auto list = AccessList::parse(*allow, folder + "initiators.allow", true);
    if (!list) return list.error();
    for (TargetSpec& target : parsed->config.targets) {
      target.config.allows_initiator = [list = *list, name = target.config.rules.name](std::string_view initiator,
                                                                                       const io::Endpoint& peer) {
        return list.allows(name, peer, initiator);
      };
    }
  }
  if (const auto allow = read_file(folder + "targets.allow"); allow) {
    const auto list = AccessList::parse(*allow, folder + "targets.allow", false);
    if (!list) return list.error();
    for (TargetSpec& target : parsed->config.targets) {
      target.config.allows_portal = [list = *list, name = target.config.rules.name](const io::Endpoint& local) {
        return list.allows(name, local);
      };
    }
  }
  return parsed;
}

}  // namespace pnfs::target
