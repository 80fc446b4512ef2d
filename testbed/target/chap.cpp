#include "testbed/target/chap.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <memory>
#include <stdexcept>

#include "testbed/target/text.hpp"

namespace pnfs::target {

std::optional<ChapAlgorithm> choose_chap_algorithm(std::string_view list) {
  for (const std::string_view item : split_list(list)) {
    const auto number = parse_number(item, 0, 255);
    if (number && *number >= 5 && *number <= 7) return static_cast<ChapAlgorithm>(*number);
  }
  return std::nullopt;
}

std::vector<uint8_t> chap_response(ChapAlgorithm algorithm, uint8_t identifier, std::string_view secret,
                                   ConstBytes challenge) {
  const EVP_MD* hash = algorithm == ChapAlgorithm::md5    ? EVP_md5()
                       : algorithm == ChapAlgorithm::sha1 ? EVP_sha1()
                                                          : EVP_sha256();
  const std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  std::vector<uint8_t> digest(EVP_MAX_MD_SIZE);
  unsigned length = 0;
  const bool ok = context && EVP_DigestInit_ex(context.get(), hash, nullptr) &&
                  EVP_DigestUpdate(context.get(), &identifier, 1) &&
                  EVP_DigestUpdate(context.get(), secret.data(), secret.size()) &&
                  EVP_DigestUpdate(context.get(), challenge.data(), challenge.size()) &&
                  EVP_DigestFinal_ex(context.get(), digest.data(), &length);
  if (!ok) throw std::runtime_error("OpenSSL refused to compute a CHAP digest");
  digest.resize(length);
  return digest;
}

bool equal_secretly(ConstBytes a, ConstBytes b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace pnfs::target
