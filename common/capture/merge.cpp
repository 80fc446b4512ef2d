#include "common/capture/merge.hpp"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <map>
#include <optional>
#include <set>

#include "common/capture/pcapng.hpp"

namespace pnfs::capture {

namespace {

constexpr size_t kWriteBytes = 1u << 20;

// Who is at the two ends of a frame of ours: raw address and port.
struct End {
  std::string address;
  uint16_t port = 0;
  auto operator<=>(const End&) const = default;
};
struct Ends {
  End from, to;
  bool syn = false, ack = false;
};

std::optional<Ends> ends_of(Bytes frame) {
  if (frame.size() < 54) return std::nullopt;
  const auto byte = [&](size_t i) { return std::to_integer<unsigned>(frame[i]); };
  const auto text = [&](size_t at, size_t length) {
    return std::string(reinterpret_cast<const char*>(frame.data()) + at, length);
  };
  const bool v4 = byte(12) == 0x08;
  const size_t addresses = v4 ? 26 : 22, length = v4 ? 4 : 16, tcp = addresses + 2 * length;
  if (frame.size() < tcp + 20) return std::nullopt;
  Ends ends;
  ends.from = {text(addresses, length), static_cast<uint16_t>(byte(tcp) << 8 | byte(tcp + 1))};
  ends.to = {text(addresses + length, length), static_cast<uint16_t>(byte(tcp + 2) << 8 | byte(tcp + 3))};
  ends.syn = byte(tcp + 13) & 0x02;
  ends.ack = byte(tcp + 13) & 0x10;
  return ends;
}

bool is_loopback(const std::string& address) {
  if (address.size() == 4) return address[0] == 127;
  return address == std::string(15, '\0') + '\x01';
}

// What a first look at all files tells.
class Survey {
 public:
  Result<void> look(const std::string& path) {
    auto reader = Reader::open(path);
    if (!reader) return reader.error();
    Packet packet;
    for (;;) {
      const auto more = reader->next(packet);
      if (!more) return more.error();
      if (!*more) return {};
      const auto ends = ends_of(packet.frame);
      if (!ends || !ends->syn || ends->ack) continue;
      const End& own = packet.direction == Direction::in ? ends->to : ends->from;
      const End& peer = packet.direction == Direction::in ? ends->from : ends->to;
      nodes_[own.address].insert(reader->interface_name());
      if (packet.direction == Direction::in) {
        accepted_.insert({ends->from, ends->to});
        clients_.push_back(peer.address);
      }
    }
  }

  // This side asked for the connection, and the other side's file has it too.
  bool twice(const Packet& packet) const {
    const auto ends = ends_of(packet.frame);
    if (!ends) return false;
    const bool out = packet.direction == Direction::out;
    const End& own = out ? ends->from : ends->to;
    const End& peer = out ? ends->to : ends->from;
    return accepted_.contains({own, peer});
  }

  std::vector<AddressName> names() const {
    std::vector<AddressName> names;
    for (const auto& [address, nodes] : nodes_) {
      if (is_loopback(address)) continue;
      names.push_back({address, nodes.size() == 1 ? *nodes.begin() : "servers"});
    }
    std::set<std::string> seen;
    for (const std::string& address : clients_) {
      if (is_loopback(address) || nodes_.contains(address) || !seen.insert(address).second) continue;
      names.push_back({address, "client" + std::to_string(seen.size())});
    }
    return names;
  }

 private:
  std::map<std::string, std::set<std::string>> nodes_;  // own addresses
  std::set<std::pair<End, End>> accepted_;              // from whom, to whom
  std::vector<std::string> clients_;
};

struct Source {
  Reader reader;
  Packet packet;
  bool more = true;
};

Result<void> advance(Source& source, const Survey& survey) {
  do {
    const auto more = source.reader.next(source.packet);
    if (!more) return more.error();
    source.more = *more;
  } while (source.more && survey.twice(source.packet));
  return {};
}

// A second look: the sources side by side, the earliest packet first.
Result<Merged> write_all(std::vector<Source>& sources, const Survey& survey, std::FILE* file) {
  std::string out;
  append_section(out);
  for (Source& source : sources) {
    if (auto begun = advance(source, survey); !begun) return begun.error();
    append_interface(out, source.reader.interface_name());
  }
  append_names(out, survey.names());
  Merged merged;
  for (;;) {
    Source* first = nullptr;
    for (Source& source : sources)
      if (source.more && (first == nullptr || source.packet.nanoseconds < first->packet.nanoseconds)) first = &source;
    if (out.size() >= kWriteBytes || first == nullptr) {
      if (std::fwrite(out.data(), 1, out.size(), file) != out.size()) return error(Errc::io, "{}", std::strerror(errno));
      out.clear();
    }
    if (first == nullptr) return merged;
    const Packet& packet = first->packet;
    const WallTime at{static_cast<int64_t>(packet.nanoseconds / 1'000'000'000),
                      static_cast<uint32_t>(packet.nanoseconds % 1'000'000'000)};
    append_packet(out, static_cast<uint32_t>(first - sources.data()), at, packet.direction, {&packet.frame, 1},
                  packet.comment);
    ++merged.packets;
    if (!packet.comment.empty()) ++merged.comments;
    if (auto moved = advance(*first, survey); !moved) return moved.error();
  }
}

}  // namespace

Result<Merged> merge(const std::vector<std::string>& from, const std::string& to) {
  Survey survey;
  std::vector<Source> sources;
  for (const std::string& path : from) {
    if (auto looked = survey.look(path); !looked) return looked.error();
    auto reader = Reader::open(path);
    if (!reader) return reader.error();
    sources.push_back({std::move(*reader), {}, true});
  }
  // Its readers see a whole capture or none.
  const std::string fresh = to + ".new";
  std::FILE* file = std::fopen(fresh.c_str(), "wbe");
  if (file == nullptr) return error(Errc::io, "cannot write {}: {}", fresh, std::strerror(errno));
  auto merged = write_all(sources, survey, file);
  const bool closed = std::fclose(file) == 0;
  if (merged && (!closed || std::rename(fresh.c_str(), to.c_str()) != 0))
    merged = error(Errc::io, "{}", std::strerror(errno));
  if (!merged) {
    std::remove(fresh.c_str());
    return merged.error().with_context("merging captures into " + to);
  }
  return merged;
}

}  // namespace pnfs::capture
