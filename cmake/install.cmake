# SPDX-License-Identifier: MIT
# make install: binary, both libraries, headers, manual pages, sample mail, pkg-config, CMake package.
if(TARGET postern)
  install(TARGETS postern RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()
install(TARGETS libpostern_static libpostern_shared
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY include/postern DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
foreach(section 1 3 5)
  file(GLOB pages CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/docs/man/*.${section})
  install(FILES ${pages} DESTINATION ${CMAKE_INSTALL_MANDIR}/man${section})
endforeach()
configure_file(packaging/systemd/postern.service.in postern.service @ONLY)
install(FILES ${CMAKE_BINARY_DIR}/postern.service DESTINATION lib/systemd/system)
install(FILES packaging/systemd/sendmail.conf DESTINATION ${CMAKE_INSTALL_DATADIR}/postern/systemd)
if(EXISTS ${CMAKE_SOURCE_DIR}/share/sample)
  install(DIRECTORY share/sample DESTINATION ${CMAKE_INSTALL_DATADIR}/postern)
endif()

# how the installed files find their prefix again, wherever it was moved to
file(RELATIVE_PATH pcfiledir_to_prefix /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
file(RELATIVE_PATH libdir_to_prefix /${CMAKE_INSTALL_LIBDIR} /)
configure_file(cmake/libpostern.pc.in libpostern.pc @ONLY)
configure_file(cmake/postern-config.cmake.in postern-config.cmake @ONLY)
include(CMakePackageConfigHelpers)
write_basic_package_version_file(${CMAKE_BINARY_DIR}/postern-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/libpostern.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
install(FILES ${CMAKE_BINARY_DIR}/postern-config.cmake ${CMAKE_BINARY_DIR}/postern-config-version.cmake
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/postern)
