#include "common/nfs/attributes.hpp"

#include "common/xdr/field_text.hpp"

namespace pnfs::nfs {

namespace {

#define PNFS_ATTRIBUTE_INFO(number, field, type, access)                                      \
  AttributeInfo{number, #field, &xdr::type_info<decltype(Attributes::field)>, Access::access, \
                [](Attributes& a) -> void* { return &a.field; }},
constexpr AttributeInfo kAttributes[] = {PNFS_ATTRIBUTES(PNFS_ATTRIBUTE_INFO)};
#undef PNFS_ATTRIBUTE_INFO

constexpr uint32_t kNumbers = FATTR4_OPEN_ARGUMENTS + 1;

// From number to place in kAttributes; 0xff for none.
constexpr auto kPlaces = [] {
  std::array<uint8_t, kNumbers> places{};
  places.fill(0xff);
  for (uint8_t i = 0; i < std::size(kAttributes); ++i) places[kAttributes[i].number] = i;
  return places;
}();

constexpr uint32_t kMaxNanoseconds = 999'999'999;

bool time_is_valid(const AttributeInfo& info, const void* value) {
  if (info.type == &xdr::type_info<nfstime4>) return static_cast<const nfstime4*>(value)->nseconds <= kMaxNanoseconds;
  if (info.type == &xdr::type_info<settime4>) {
    const auto& t = *static_cast<const settime4*>(value);
    return t.set_it != SET_TO_CLIENT_TIME4 || t.time.nseconds <= kMaxNanoseconds;
  }
  return true;
}

Status check_decode(const bitmap4& mask, const bitmap4& supported, DecodeFor purpose) {
  const bitmap4 allowed = supported & kKnownAttributes;
  if (!mask.within(allowed)) {
    bitmap4 others = mask;
    allowed.each([&](uint32_t bit) { others.clear(bit); });
    return fail(NFS4ERR_ATTRNOTSUPP, "15.1.15.1", "attributes {} are not supported", attribute_names(others));
  }
  if (purpose == DecodeFor::set) {
    if (const bitmap4 wrong = mask & kGetOnlyAttributes; !wrong.none())
      return fail(NFS4ERR_INVAL, "5.5", "attributes {} can be read but not set", attribute_names(wrong));
  }
  if (purpose == DecodeFor::compare) {
    const bitmap4 wrong = mask & (kSetOnlyAttributes | bitmap4{FATTR4_RDATTR_ERROR});
    if (!wrong.none())
      return fail(NFS4ERR_INVAL, "18.31.3", "attributes {} cannot be compared", attribute_names(wrong));
  }
  return {};
}

}  // namespace

std::span<const AttributeInfo> attribute_infos() {
  return kAttributes;
}

const AttributeInfo* find_attribute(uint32_t number) {
  if (number >= kNumbers || kPlaces[number] == 0xff) return nullptr;
  return &kAttributes[kPlaces[number]];
}

std::string attribute_names(const bitmap4& bits) {
  std::string out;
  bits.each([&](uint32_t bit) { out += (out.empty() ? "" : "|") + xdr::bit_name(xdr::type_info<bitmap4>, bit); });
  if (bits.beyond()) out += fmt::format("{}beyond {}", out.empty() ? "" : "|", bitmap4::kBits);
  return out;
}

fattr4 encode_attributes(Arena& arena, const bitmap4& wanted, const Attributes& attributes) {
  xdr::Encoder e(arena);
  fattr4 out;
  (wanted & attributes.present).each([&](uint32_t bit) {
    const AttributeInfo* info = find_attribute(bit);
    if (info == nullptr) return;
    info->type->encode(e, info->locate(const_cast<Attributes&>(attributes)));
    out.attrmask.set(bit);
  });
  const auto pieces = e.pieces();
  if (pieces.size() == 1) {
    out.attr_vals.bytes = pieces.front();
  } else if (pieces.size() > 1) {
    auto all = arena.make_array<std::byte>(e.size());
    size_t at = 0;
    for (const auto piece : pieces) {
      std::memcpy(&all[at], piece.data(), piece.size());
      at += piece.size();
    }
    out.attr_vals.bytes = all;
  }
  return out;
}

Status check_get(const bitmap4& wanted) {
  if (const bitmap4 wrong = wanted & kSetOnlyAttributes; !wrong.none())
    return fail(NFS4ERR_INVAL, "5.5", "attributes {} can be set but not read", attribute_names(wrong));
  return {};
}

Status decode_attributes(const fattr4& from, const bitmap4& supported, DecodeFor purpose, Arena& arena,
                         Attributes& out) {
  if (Status s = check_decode(from.attrmask, supported, purpose); !s) return s;
  xdr::Decoder d(from.attr_vals.bytes, arena);
  Status status;
  from.attrmask.each([&](uint32_t bit) {
    if (!status) return;
    const AttributeInfo& info = *find_attribute(bit);
    void* value = info.locate(out);
    if (!info.type->decode(d, value)) {
      status = fail(NFS4ERR_BADXDR, "15.1.1.1", "attribute {} at byte {}: {}", info.name, d.offset(), d.problem());
    } else if (!time_is_valid(info, value)) {
      status = fail(NFS4ERR_INVAL, "3.3.1", "attribute {} has more than 999999999 nanoseconds", info.name);
    } else {
      out.present.set(bit);
    }
  });
  if (status && d.left() != 0)
    status = fail(NFS4ERR_BADXDR, "15.1.1.1", "{} bytes follow the last attribute value", d.left());
  return status;
}

}  // namespace pnfs::nfs
