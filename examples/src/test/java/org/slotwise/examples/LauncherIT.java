package org.slotwise.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The command that the build makes. */
class LauncherIT {

    private static final boolean WINDOWS = File.separatorChar == '\\';

    private static final Path LAUNCHER =
            Path.of("target", "bin", WINDOWS ? "slotwise.bat" : "slotwise").toAbsolutePath();

    @TempDir private Path folder;
    private Path here;

    @BeforeEach
    void goToAFolderWithASpace() throws IOException {
        here = Files.createDirectory(folder.resolve("a folder"));
    }

    private String run(int exitCode, String... args) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(LAUNCHER.toString()));
        command.addAll(List.of(args));
        File printed = folder.resolve("printed").toFile();
        Process process =
                new ProcessBuilder(command)
                        .directory(here.toFile())
                        .redirectErrorStream(true)
                        .redirectOutput(printed)
                        .start();
        int got = process.waitFor();
        String out = Files.readString(printed.toPath(), StandardCharsets.UTF_8);
        assertEquals(exitCode, got, out);
        return out;
    }

    @Test
    void runsWhereItIsCalled() throws IOException, InterruptedException {
        String out = run(0, "group", "--size", "60", "--output", "my figure.png");
        assertTrue(out.contains("Pixels of the 6 slots: "), out);
        assertTrue(Files.exists(here.resolve("my figure.png")), out);
    }

    @Test
    void passesExitCodesOn() throws IOException, InterruptedException {
        String out = run(2, "foo");
        assertTrue(out.contains("got foo"), out);
    }
}
