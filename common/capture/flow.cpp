#include "common/capture/flow.hpp"

#include <algorithm>
#include <cstring>

namespace pnfs::capture {

namespace {

constexpr uint8_t kFin = 0x01, kSyn = 0x02, kRst = 0x04, kPush = 0x08, kAck = 0x10;
// With headers the largest that fits the length field of IPv4 (65535) would be 65495; what Linux sends on loopback.
constexpr size_t kSegmentBytes = 65483;
constexpr uint8_t kWindowShift = 14;  // RFC 7323 2.3, the most: nothing here ever waits for a window

void put8(std::string& out, unsigned value) {
  out += static_cast<char>(value);
}
void put16(std::string& out, unsigned value) {
  put8(out, value >> 8 & 0xff);
  put8(out, value & 0xff);
}
void put32(std::string& out, uint32_t value) {
  put16(out, value >> 16);
  put16(out, value & 0xffff);
}

Bytes bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text));
}

// The Internet checksum (RFC 1071) over any number of pieces of any length.
class Checksum {
 public:
  void add(Bytes bytes) {
    size_t i = 0;
    if (odd_ && !bytes.empty()) {
      sum_ += std::to_integer<uint64_t>(bytes[i++]);
      odd_ = false;
    }
    const size_t pairs = (bytes.size() - i) / 2;
    uint64_t sum = 0;
    for (size_t pair = 0; pair < pairs; ++pair) {
      uint16_t word;
      std::memcpy(&word, bytes.data() + i + 2 * pair, 2);
      sum += word;
    }
    // Summed in the host's order, swapped once (RFC 1071 2).
    while (sum >> 16) sum = (sum & 0xffff) + (sum >> 16);
    sum_ += __builtin_bswap16(static_cast<uint16_t>(sum));
    if ((bytes.size() - i) % 2 != 0) {
      sum_ += std::to_integer<uint64_t>(bytes.back()) << 8;
      odd_ = true;
    }
  }
  uint16_t value() const {
    uint64_t sum = sum_;
    while (sum >> 16) sum = (sum & 0xffff) + (sum >> 16);
    return static_cast<uint16_t>(~sum);
  }

 private:
  uint64_t sum_ = 0;
  bool odd_ = false;
};

void patch16(std::string& out, size_t at, uint16_t value) {
  out[at] = static_cast<char>(value >> 8);
  out[at + 1] = static_cast<char>(value & 0xff);
}

std::string raw_address(const boost::asio::ip::address& address) {
  const auto copy = [](const auto& bytes) { return std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size()); };
  return address.is_v4() ? copy(address.to_v4().to_bytes()) : copy(address.to_v6().to_bytes());
}

// A locally administered address made of the IP address's end.
std::string mac_of(const std::string& ip) {
  return std::string("\x02\0", 2) + ip.substr(ip.size() - 4);
}

}  // namespace

Flow::Flow(File& file, const io::Endpoint& local, const io::Endpoint& remote, bool accepted) : file_(file) {
  const WallTime now = file.clock().wall();
  const auto fill = [](Side& side, const io::Endpoint& at) {
    side.ip = raw_address(at.address());
    side.mac = mac_of(side.ip);
    side.port = at.port();
  };
  fill(local_, local);
  fill(remote_, remote);
  // One that an earlier connection of the same ports did not use (RFC 9293 3.4.1: a clock).
  local_.next = static_cast<uint32_t>(now.seconds * 250'000 + now.nanoseconds / 4000);
  remote_.next = local_.next ^ 0x5a5a0000;
  const Direction asks = accepted ? Direction::in : Direction::out;
  const Direction answers = accepted ? Direction::out : Direction::in;
  segment(asks, kSyn, {}, {});
  segment(answers, kSyn | kAck, {}, {});
  segment(asks, kAck, {}, {});
}

void Flow::received(Bytes bytes) {
  while (!bytes.empty()) {
    const Bytes part = bytes.first(std::min(bytes.size(), kSegmentBytes));
    bytes = bytes.subspan(part.size());
    segment(Direction::in, kPush | kAck, {&part, 1}, {});
  }
}

void Flow::sent(std::span<const Bytes> pieces, std::span<const Remark> remarks) {
  size_t total = 0;
  for (const Bytes piece : pieces) total += piece.size();
  std::vector<Bytes> payload;
  size_t at = 0, piece = 0, skip = 0;
  while (at < total) {
    // Up to where a remark begins or ends.
    const Remark* about = nullptr;
    size_t stop = total;
    while (!remarks.empty() && remarks.front().end <= at) remarks = remarks.subspan(1);
    if (!remarks.empty()) {
      const Remark& next = remarks.front();
      stop = std::min(stop, next.begin > at ? next.begin : next.end);
    }
    stop = std::min(stop, at + kSegmentBytes);
    if (!remarks.empty() && remarks.front().end == stop) about = &remarks.front();
    payload.clear();
    for (size_t left = stop - at; left > 0;) {
      const Bytes part = pieces[piece].subspan(skip, std::min(left, pieces[piece].size() - skip));
      if (!part.empty()) payload.push_back(part);
      left -= part.size();
      skip += part.size();
      if (skip == pieces[piece].size()) {
        ++piece;
        skip = 0;
      }
    }
    at = stop;
    segment(Direction::out, kPush | kAck, payload, about != nullptr ? std::string_view(about->text) : std::string_view());
  }
}

void Flow::silence(std::string_view comment) {
  segment(Direction::out, kAck, {}, comment);
}

void Flow::ended(Direction by, bool reset, std::string_view comment) {
  if (sender(by).ended) return;
  if (reset) local_.ended = remote_.ended = true;
  sender(by).ended = true;
  segment(by, reset ? kRst | kAck : kFin | kAck, {}, comment);
}

void Flow::segment(Direction direction, uint8_t flags, std::span<const Bytes> payload, std::string_view comment) {
  Side& from = sender(direction);
  const Side& to = receiver(direction);
  size_t payload_bytes = 0;
  for (const Bytes piece : payload) payload_bytes += piece.size();
  const bool v4 = from.ip.size() == 4;
  const size_t options = flags & kSyn ? 8 : 0;
  const size_t tcp_bytes = 20 + options + payload_bytes;

  head_ = to.mac + from.mac;
  put16(head_, v4 ? 0x0800 : 0x86dd);
  const size_t ip_at = head_.size();
  if (v4) {
    put16(head_, 0x4500);
    put16(head_, static_cast<unsigned>(20 + tcp_bytes));
    put16(head_, next_id_++);
    put16(head_, 0x4000);  // do not fragment
    put16(head_, 64 << 8 | 6);
    put16(head_, 0);
    head_ += from.ip + to.ip;
    Checksum sum;
    sum.add(bytes_of(std::string_view(head_).substr(ip_at)));
    patch16(head_, ip_at + 10, sum.value());
  } else {
    put32(head_, 0x60000000);
    put16(head_, static_cast<unsigned>(tcp_bytes));
    put16(head_, 6 << 8 | 64);
    head_ += from.ip + to.ip;
  }
  const size_t tcp_at = head_.size();
  put16(head_, from.port);
  put16(head_, to.port);
  put32(head_, from.next);
  put32(head_, flags & kAck ? to.next : 0);
  put16(head_, static_cast<unsigned>((20 + options) / 4 << 12 | flags));
  put16(head_, 65535);
  put16(head_, 0);
  put16(head_, 0);
  if (flags & kSyn) {
    put32(head_, 2u << 24 | 4u << 16 | static_cast<uint32_t>(kSegmentBytes));  // MSS
    put32(head_, 1u << 24 | 3u << 16 | 3u << 8 | kWindowShift);                // NOP, window scale
  }
  Checksum sum;
  std::string pseudo = from.ip + to.ip;
  put32(pseudo, static_cast<uint32_t>(tcp_bytes));
  put32(pseudo, 6);
  sum.add(bytes_of(pseudo));
  sum.add(bytes_of(std::string_view(head_).substr(tcp_at)));
  for (const Bytes piece : payload) sum.add(piece);
  patch16(head_, tcp_at + 16, sum.value());

  frame_.assign(1, bytes_of(head_));
  frame_.insert(frame_.end(), payload.begin(), payload.end());
  file_.packet(direction, frame_, comment);
  from.next += static_cast<uint32_t>(payload_bytes) + (flags & (kSyn | kFin) ? 1 : 0);
}

}  // namespace pnfs::capture
