#include "common/capture/pcapng.hpp"

#include <cerrno>
#include <cstdio>
#include <cstring>

namespace pnfs::capture {

namespace {

constexpr uint32_t kByteOrderMagic = 0x1A2B3C4D;
constexpr uint16_t kEthernet = 1;
constexpr uint16_t kOptEnd = 0, kOptComment = 1, kSectionApplication = 4, kInterfaceName = 2, kInterfaceResolution = 9,
                   kPacketFlags = 2;
constexpr uint16_t kNameIpv4 = 1, kNameIpv6 = 2;
constexpr size_t kLongestComment = 4096;
constexpr uint32_t kLargestBlock = 1u << 20;

template <class T>
void put(std::string& out, T value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

template <class T>
T get(const std::byte* at) {
  T value;
  std::memcpy(&value, at, sizeof value);
  return value;
}

constexpr size_t padded(size_t bytes) {
  return (bytes + 3) & ~size_t{3};
}

void pad(std::string& out, size_t bytes) {
  out.append(padded(bytes) - bytes, '\0');
}

void put_option(std::string& out, uint16_t code, std::string_view value) {
  put(out, code);
  put(out, static_cast<uint16_t>(value.size()));
  out += value;
  pad(out, value.size());
}

// Begins a block; end_block fills in the length on both sides.
size_t begin_block(std::string& out, BlockType type) {
  const size_t at = out.size();
  put(out, static_cast<uint32_t>(type));
  put(out, uint32_t{0});
  return at;
}

void end_block(std::string& out, size_t at) {
  const auto length = static_cast<uint32_t>(out.size() + 4 - at);
  std::memcpy(out.data() + at + 4, &length, 4);
  put(out, length);
}

void end_options(std::string& out) {
  put(out, kOptEnd);
  put(out, uint16_t{0});
}

// Calls f(code, value) for each option up to `end`.
template <class F>
void each_option(const std::byte* at, const std::byte* end, F&& f) {
  while (end - at >= 4) {
    const auto code = get<uint16_t>(at), length = get<uint16_t>(at + 2);
    if (code == kOptEnd || end - at < static_cast<ptrdiff_t>(4 + padded(length))) return;
    f(code, std::string_view(reinterpret_cast<const char*>(at + 4), length));
    at += 4 + padded(length);
  }
}

}  // namespace

void append_section(std::string& out) {
  const size_t at = begin_block(out, BlockType::section);
  put(out, kByteOrderMagic);
  put(out, uint16_t{1});
  put(out, uint16_t{0});
  put(out, ~uint64_t{0});  // length of the section: not given
  put_option(out, kSectionApplication, "pnfslab");
  end_options(out);
  end_block(out, at);
}

void append_interface(std::string& out, std::string_view name) {
  const size_t at = begin_block(out, BlockType::interface);
  put(out, kEthernet);
  put(out, uint16_t{0});
  put(out, uint32_t{0});  // no limit to a packet's length
  put_option(out, kInterfaceName, name);
  put_option(out, kInterfaceResolution, std::string_view("\x09", 1));
  end_options(out);
  end_block(out, at);
}

void append_names(std::string& out, std::span<const AddressName> names) {
  if (names.empty()) return;
  const size_t at = begin_block(out, BlockType::names);
  for (const AddressName& each : names) {
    const size_t length = each.address.size() + each.name.size() + 1;
    put(out, each.address.size() == 4 ? kNameIpv4 : kNameIpv6);
    put(out, static_cast<uint16_t>(length));
    out += each.address;
    out += each.name;
    out += '\0';
    pad(out, length);
  }
  put(out, uint32_t{0});  // end of records
  end_block(out, at);
}

void append_packet(std::string& out, uint32_t interface, WallTime time, Direction direction,
                   std::span<const Bytes> frame, std::string_view comment) {
  const size_t at = begin_block(out, BlockType::packet);
  const uint64_t stamp = static_cast<uint64_t>(time.seconds) * 1'000'000'000 + time.nanoseconds;
  size_t length = 0;
  for (const Bytes piece : frame) length += piece.size();
  put(out, interface);
  put(out, static_cast<uint32_t>(stamp >> 32));
  put(out, static_cast<uint32_t>(stamp));
  put(out, static_cast<uint32_t>(length));
  put(out, static_cast<uint32_t>(length));
  for (const Bytes piece : frame) out.append(reinterpret_cast<const char*>(piece.data()), piece.size());
  pad(out, length);
  if (!comment.empty()) put_option(out, kOptComment, comment.substr(0, kLongestComment));
  const auto flags = static_cast<uint32_t>(direction);
  put_option(out, kPacketFlags, std::string_view(reinterpret_cast<const char*>(&flags), 4));
  end_options(out);
  end_block(out, at);
}

Result<Reader> Reader::open(const std::string& path) {
  std::FILE* file = std::fopen(path.c_str(), "rbe");
  if (file == nullptr) return error(Errc::io, "cannot read the capture {}: {}", path, std::strerror(errno));
  return Reader(file, path);
}

Reader::Reader(Reader&& other) noexcept
    : file_(std::exchange(other.file_, nullptr)),
      path_(std::move(other.path_)),
      interface_(std::move(other.interface_)),
      block_(std::move(other.block_)) {}

Reader::~Reader() {
  if (file_ != nullptr) std::fclose(file_);
}

Result<bool> Reader::next(Packet& packet) {
  for (;;) {
    std::byte head[8];
    if (std::fread(head, 1, sizeof head, file_) != sizeof head) return false;
    const auto type = get<uint32_t>(head), length = get<uint32_t>(head + 4);
    if (length < 12 || length % 4 != 0 || length > kLargestBlock)
      return error(Errc::corrupt, "{} is not a capture that pnfslab wrote (a block of {} bytes)", path_, length);
    block_.resize(length - sizeof head);
    if (std::fread(block_.data(), 1, block_.size(), file_) != block_.size()) return false;
    const std::byte* at = block_.data();
    const std::byte* end = at + block_.size() - 4;
    if (type == static_cast<uint32_t>(BlockType::section)) {
      if (end - at < 4 || get<uint32_t>(at) != kByteOrderMagic)
        return error(Errc::corrupt, "{} was not written on a machine like this one", path_);
    } else if (type == static_cast<uint32_t>(BlockType::interface) && end - at >= 8) {
      each_option(at + 8, end, [&](uint16_t code, std::string_view value) {
        if (code == kInterfaceName) interface_ = value;
      });
    } else if (type == static_cast<uint32_t>(BlockType::packet) && end - at >= 20) {
      const auto captured = get<uint32_t>(at + 12);
      if (captured > static_cast<size_t>(end - at - 20))
        return error(Errc::corrupt, "{}: a packet is longer than its block", path_);
      packet = {.interface = get<uint32_t>(at),
                .nanoseconds = uint64_t{get<uint32_t>(at + 4)} << 32 | get<uint32_t>(at + 8),
                .frame = {at + 20, captured}};
      each_option(at + 20 + padded(captured), end, [&](uint16_t code, std::string_view value) {
        if (code == kOptComment) packet.comment = value;
        if (code == kPacketFlags && value.size() == 4)
          packet.direction = static_cast<Direction>(get<uint32_t>(reinterpret_cast<const std::byte*>(value.data())) & 3);
      });
      return true;
    }
  }
}

}  // namespace pnfs::capture
