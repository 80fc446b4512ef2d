// What the client reads out of opaque bodies: layouts, device addresses, attributes. The first byte chooses.
#include "common/xdr/codec.hpp"
#include "testbed/client/attributes.hpp"
#include "testbed/client/layout.hpp"
#include "tests/fuzz/target.hpp"

using namespace pnfs;
using namespace pnfs::nfs;

std::vector<FuzzInput> fuzz_seeds() {
  std::vector<FuzzInput> seeds;
  auto add = [&seeds](uint8_t kind, const auto& value) {
    Arena arena;
    xdr::Encoder encoder(arena);
    xdr::encode(encoder, value);
    FuzzInput seed = encoder.flatten();
    seed.insert(seed.begin(), static_cast<std::byte>(kind));
    seeds.push_back(std::move(seed));
  };
  std::byte handle_bytes[28]{};
  nfs_fh4 handles[2] = {{handle_bytes}, {handle_bytes}};
  nfsv4_1_file_layout4 layout;
  layout.nfl_util = 65536;
  layout.nfl_fh_list.items = handles;
  add(0, layout);
  netaddr4 addresses[2] = {{{"tcp"}, {"10.0.0.1.8.1"}}, {{"tcp6"}, {"::1.8.1"}}};
  multipath_list4 lists[2] = {{std::span(addresses, 1)}, {std::span(addresses, 2)}};
  uint32_t indices[3] = {0, 1, 0};
  nfsv4_1_file_layout_ds_addr4 device;
  device.nflda_stripe_indices.items = indices;
  device.nflda_multipath_ds_list.items = lists;
  add(1, device);
  Arena arena;
  client::NewAttributes attributes;
  attributes.size = 5;
  attributes.mode = 0644;
  attributes.owner = "0";
  add(2, attributes.encode(arena));
  return seeds;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::span<const std::byte> bytes(reinterpret_cast<const std::byte*>(data + 1), size - 1);
  Arena arena;
  switch (data[0] % 3) {
    case 0: {
      layout4 layout;
      layout.lo_length = NFS4_UINT64_MAX;
      layout.lo_content.loc_body.bytes = bytes;
      const auto segment = client::read_layout(layout);
      if (!segment) return 0;
      client::Device device;
      device.stripe_indices = {0, 1, 2};
      device.data_servers.resize(2);
      for (const uint64_t offset : {uint64_t{0}, segment->pattern_offset, NFS4_UINT64_MAX}) {
        const auto place = client::place_of(*segment, device, offset);
        if (!place) continue;
        FUZZ_CHECK(place->data_server < device.data_servers.size());
        FUZZ_CHECK(segment->handles.empty() || place->handle < segment->handles.size());
        FUZZ_CHECK(place->bytes > 0);
      }
      break;
    }
    case 1: {
      device_addr4 address;
      address.da_addr_body.bytes = bytes;
      const auto device = client::read_device({}, address);
      if (device)
        for (const auto& list : device->data_servers) FUZZ_CHECK(!list.empty());
      break;
    }
    default: {
      fattr4 attributes;
      xdr::Decoder decoder(bytes, arena);
      if (xdr::decode(decoder, attributes)) (void)client::read_attributes(attributes);
    }
  }
  return 0;
}
