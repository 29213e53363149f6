package org.slotwise.api;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.slotwise.internal.Check;

/** What the jar is made of has its licence with it. */
class LicenceTest {

    @ParameterizedTest
    @CsvSource({"LICENSE, Apache License", "NOTICE, The Slotwise authors"})
    void isInTheJar(String file, String says) throws Exception {
        Path classes =
                Path.of(Check.class.getProtectionDomain().getCodeSource().getLocation().toURI());
        Path found = classes.resolve("META-INF").resolve(file);
        assertTrue(Files.isRegularFile(found), () -> found + " is missing");
        assertTrue(read(found).contains(says));
    }

    private static String read(Path file) throws IOException {
        return Files.readString(file, StandardCharsets.UTF_8);
    }
}
