// CHAP responses as iSCSI uses them (RFC 7143 12.1.3): hash(identifier, secret, challenge).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "testbed/target/bytes.hpp"

namespace pnfs::target {

struct ChapUser {
  std::string name;
  std::string secret;
};

// IANA "PPP Authentication Algorithms"; iSCSI requires MD5 of every implementation.
enum class ChapAlgorithm : uint8_t { md5 = 5, sha1 = 6, sha256 = 7 };

// The first of "7,5" (an initiator's list, in order of preference) that we know.
std::optional<ChapAlgorithm> choose_chap_algorithm(std::string_view list);

std::vector<uint8_t> chap_response(ChapAlgorithm algorithm, uint8_t identifier, std::string_view secret,
                                   ConstBytes challenge);

// Takes the same time wherever the two differ.
bool equal_secretly(ConstBytes a, ConstBytes b);

}  // namespace pnfs::target
