package org.slotwise.examples.diffusion;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.ndarray.NDManager;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.slotwise.examples.shared.Run;
import org.slotwise.model.LatentSlotDiffusion;

/** Models go from the program to Java and back. */
class DiffusionModelTest {

    @TempDir private Path folder;

    private static String scores(Path model) {
        String[] args = {
            "evaluate", "--model", model.toString(), "--scenes", "2", "--sampling-steps", "1"
        };
        return Run.of(new DiffuseSlots(), args).succeeds().out();
    }

    @Test
    void isTheSameInJavaAndInTheProgram() throws IOException {
        Path file = TinyModel.write(folder.resolve("trained.safetensors"));
        Path saved = folder.resolve("saved");
        Path zip = folder.resolve("saved.zip");
        Path again = folder.resolve("again.safetensors");
        try (NDManager manager = NDManager.newBaseManager();
                LatentSlotDiffusion model = LatentSlotDiffusion.load(file, manager)) {
            model.save(saved);
            model.save(zip);
            model.save(again);
        }
        String expected = scores(file);
        assertTrue(expected.contains("cross attention"), expected);
        assertEquals(expected, scores(saved));
        assertEquals(expected, scores(zip));
        assertArrayEquals(Files.readAllBytes(file), Files.readAllBytes(again));
    }
}
