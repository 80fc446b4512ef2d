# The in-process cluster as a CMake package, for authors of clients who drive it from their own tests:
#   cmake --build --preset release --target pnfslab-cluster
#   cmake --install build/release --component cluster --prefix DIR
# and in their project find_package(pnfslab) and pnfslab::cluster. testbed/cluster/example is one.
set(cluster_parts pnfs_base pnfs_io pnfs_live pnfs_xdr pnfs_fault pnfs_trace pnfs_rpc pnfs_nfs pnfs_session pnfs_compound
                  pnfs_block pnfs_volume pnfs_control pnfs_mds pnfs_ds pnfs_client pnfs_cluster)
add_custom_target(pnfslab-cluster DEPENDS ${cluster_parts})
foreach(part IN LISTS cluster_parts)
  string(REPLACE "pnfs_" "" name ${part})
  set_target_properties(${part} PROPERTIES EXPORT_NAME ${name})
endforeach()
# OPTIONAL: an installation of something else need not have built them.
install(TARGETS ${cluster_parts} EXPORT pnfslab ARCHIVE DESTINATION lib/pnfslab COMPONENT cluster OPTIONAL)
install(EXPORT pnfslab NAMESPACE pnfslab:: FILE pnfslab-targets.cmake DESTINATION lib/cmake/pnfslab COMPONENT cluster)
install(FILES ${CMAKE_CURRENT_LIST_DIR}/pnfslab-config.cmake DESTINATION lib/cmake/pnfslab COMPONENT cluster)
foreach(folder common mds ds testbed/client testbed/cluster)
  install(DIRECTORY ${PROJECT_SOURCE_DIR}/${folder}/ DESTINATION include/pnfslab/${folder} COMPONENT cluster
          FILES_MATCHING PATTERN "*.hpp")
endforeach()
