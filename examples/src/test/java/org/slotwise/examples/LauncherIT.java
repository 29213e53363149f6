package org.slotwise.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
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

    /** All that they need for it is there, and says nothing. */
    @Test
    void readsHdf5() throws IOException, InterruptedException {
        Path file = Path.of("..", "src", "test", "resources", "scenes", "h5py.h5");
        String out =
                run(
                        0,
                        "evaluate",
                        "--model",
                        "tetrominoes",
                        "--images",
                        file.toAbsolutePath().normalize().toString());
        assertTrue(out.contains("k-means on colour and place"), out);
        assertFalse(out.contains("io.jhdf"), out);
        assertFalse(out.contains("INFO"), out);
    }
}
