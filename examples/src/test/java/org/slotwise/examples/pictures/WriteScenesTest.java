package org.slotwise.examples.pictures;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.slotwise.data.Scene;
import org.slotwise.data.Scenes;
import org.slotwise.data.file.SceneFiles;
import org.slotwise.data.generated.TexturedScenes;
import org.slotwise.examples.shared.Run;

class WriteScenesTest {

    @TempDir Path folder;

    private Run write(String name, String... more) {
        String[] args = new String[more.length + 2];
        args[0] = "--out";
        args[1] = folder.resolve(name).toString();
        System.arraycopy(more, 0, args, 2, more.length);
        return Run.of(new WriteScenes(), args);
    }

    @Test
    void whatIsReadIsWhatWasMade() throws IOException {
        write("a", "--scenes", "3", "--seed", "5").succeeds();
        Scenes made = TexturedScenes.builder().setSize(3).optSeed(5).build();
        try (SceneFiles files =
                SceneFiles.builder().setPath(folder.resolve("a")).setSize(64, 64).build()) {
            assertTrue(files.haveMasks());
            Scenes read = files.scenes().orElseThrow();
            assertEquals(3, read.size());
            for (int i = 0; i < 3; i++) {
                Scene expected = made.get(i);
                assertArrayEquals(expected.image(), read.get(i).image());
                assertArrayEquals(expected.mask(), read.get(i).mask());
            }
        }
        write("b", "--scenes", "1", "--size", "96").succeeds();
        assertTrue(Files.exists(folder.resolve("b/masks/0000.png")));
    }

    @ParameterizedTest
    @EnumSource(GeneratedKind.class)
    void everyKindCanBeWritten(GeneratedKind kind) {
        Run run = write("of-" + kind, "--kind", kind.toString(), "--scenes", "2").succeeds();
        assertTrue(run.out().startsWith("2 scenes of " + kind + ", seed 0: "), run.out());
    }

    @Test
    void refusesWhatItCannotDo() throws IOException {
        write("a", "--scenes", "0").fails(2, "--scenes", "0");
        write("a", "--size", "16").fails(2, "--size", "16");
        write("a", "--kind", "tetrominoes", "--size", "64").fails(2, "--size goes with");
        write("a.png").fails(2, "--out must be a folder");
        Files.createDirectories(folder.resolve("full"));
        Files.writeString(folder.resolve("full/a.txt"), "a");
        write("full").fails(1, "--out must be empty");
        Files.createDirectories(folder.resolve("nearly"));
        Files.writeString(folder.resolve("nearly/.DS_Store"), "nothing reads it");
        write("nearly", "--scenes", "2").succeeds();
        write("nearly", "--scenes", "2").fails(1, "delete what a run wrote there");
        Files.writeString(folder.resolve("file"), "a");
        write("file").fails(1, "file");
    }
}
