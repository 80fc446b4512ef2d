// Layout: the fields that are there as bits; kind; ts; then each in the order of each_field, numbers as 8 bytes, texts
// as 4 bytes of length and themselves; then the values of args and res: their type and their XDR, a text.
#include "common/trace/packed.hpp"

#include <cstring>

#include "common/base/append.hpp"

namespace pnfs::trace {

namespace {

constexpr size_t kFields = [] {
  const Event event{};
  size_t count = 0;
  each_field(event, [&](std::string_view, const auto&) { ++count; });
  return count;
}();
static_assert(kFields <= 30);
constexpr uint32_t kArgsBit = 1u << 30, kResBit = 1u << 31;
// What an event takes at most, texts and XDR aside.
constexpr size_t kFixedBytes = 4 + sizeof(Kind) + sizeof(WallTime) + kFields * 8 + 2 * (sizeof(void*) + 4);

template <class T>
void store(char*& at, const T& value) {
  std::memcpy(at, &value, sizeof(T));
  at += sizeof(T);
}
template <class T>
T load(const char*& at) {
  T value;
  std::memcpy(&value, at, sizeof(T));
  at += sizeof(T);
  return value;
}

void store_text(char*& at, std::string_view text) {
  store(at, static_cast<uint32_t>(text.size()));
  if (!text.empty()) std::memcpy(at, text.data(), text.size());
  at += text.size();
}
std::string_view load_text(const char*& at) {
  const auto size = load<uint32_t>(at);
  const std::string_view text(at, size);
  at += size;
  return text;
}

// Nothing: it is large.
std::optional<std::string_view> encoded(xdr::FieldView value, xdr::Encoder& out) {
  value.type().encode(out, value.value());
  const auto bytes = out.only_piece();
  if (!bytes) return std::nullopt;
  return std::string_view(reinterpret_cast<const char*>(bytes->data()), bytes->size());
}

}  // namespace

char* Batch::room(size_t bytes) {
  if (size_ - used_ < bytes) {
    size_ = std::max(2 * size_, used_ + bytes);
    auto larger = std::make_unique_for_overwrite<char[]>(size_);
    if (used_ != 0) std::memcpy(larger.get(), bytes_.get(), used_);
    bytes_ = std::move(larger);
  }
  return bytes_.get() + used_;
}

void Batch::add(const Event& event, WallTime ts) {
  scratch_.reset();
  xdr::Encoder args_encoder(scratch_), res_encoder(scratch_);
  std::optional<std::string_view> args, res;
  std::string args_text, res_text;
  const bool has_args = event.args.empty() && event.args_of, has_res = event.res.empty() && event.res_of;
  if (has_args && !(args = encoded(event.args_of, args_encoder))) args_text = event.args_of.to_line();
  if (has_res && !(res = encoded(event.res_of, res_encoder))) res_text = event.res_of.to_line();

  size_t texts = args.value_or(args_text).size() + res.value_or(res_text).size();
  each_field(event, [&](std::string_view, const auto& field) {
    if constexpr (is_text_field<decltype(field)>) texts += field.size();
  });
  char* const begin = room(kFixedBytes + texts);
  char* at = begin + 4;
  store(at, event.kind);
  store(at, ts);
  uint32_t there = 0, bit = 1;
  each_field(event, [&](std::string_view, const auto& field) {
    if constexpr (is_text_field<decltype(field)>) {
      if (!field.empty()) {
        store_text(at, field);
        there |= bit;
      }
    } else if (field) {
      store(at, uint64_t{*field});
      there |= bit;
    }
    bit <<= 1;
  });
  const auto store_value = [&](xdr::FieldView value, const std::optional<std::string_view>& bytes, std::string_view text) {
    store(at, bytes ? &value.type() : nullptr);
    store_text(at, bytes.value_or(text));
  };
  if (has_args) store_value(event.args_of, args, args_text);
  if (has_res) store_value(event.res_of, res, res_text);
  there |= (has_args ? kArgsBit : 0) | (has_res ? kResBit : 0);
  std::memcpy(begin, &there, 4);
  used_ += static_cast<size_t>(at - begin);
}

// Decoded again; what cannot be (a server made what the protocol does not allow) is shown as it was on the wire.
xdr::FieldView Batch::Reader::value(std::string_view& instead) {
  const auto* type = load<const xdr::TypeInfo*>(next_);
  const std::string_view bytes = load_text(next_);
  if (type == nullptr) {
    instead = bytes;
    return {};
  }
  const auto wire = std::as_bytes(std::span(bytes.data(), bytes.size()));
  void* value = arena_.allocate(type->bytes);
  std::memset(value, 0, type->bytes);
  xdr::Decoder decoder(wire, arena_);
  if (type->decode(decoder, value)) return {*type, value};
  std::string text = "undecodable ";
  append_hex(text, wire);
  instead = arena_.copy(std::string_view(text));
  return {};
}

bool Batch::Reader::next(Event& event) {
  if (next_ == end_) return false;
  arena_.reset();
  event = Event{};
  const auto there = load<uint32_t>(next_);
  event.kind = load<Kind>(next_);
  event.ts = load<WallTime>(next_);
  uint32_t bit = 1;
  each_field(event, [&](std::string_view, auto& field) {
    if ((there & bit) != 0) {
      if constexpr (is_text_field<decltype(field)>) {
        field = load_text(next_);
      } else {
        field = static_cast<typename std::decay_t<decltype(field)>::value_type>(load<uint64_t>(next_));
      }
    }
    bit <<= 1;
  });
  if ((there & kArgsBit) != 0) event.args_of = value(event.args);
  if ((there & kResBit) != 0) event.res_of = value(event.res);
  return true;
}

}  // namespace pnfs::trace
