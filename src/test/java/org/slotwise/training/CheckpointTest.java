package org.slotwise.training;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import ai.djl.nn.SequentialBlock;
import ai.djl.nn.core.Linear;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.slotwise.testing.OnDevice;
import org.slotwise.weights.StateDict;

@ExtendWith(OnDevice.class)
class CheckpointTest {

    private static final Map<String, String> RUN = Map.of("seed", "7", "größe", "\"3\"\n");

    @TempDir Path folder;
    private Path file;

    @BeforeEach
    void name() {
        file = folder.resolve("c.safetensors");
    }

    private static Block block(NDManager manager, int units) {
        Block block =
                new SequentialBlock()
                        .add(Linear.builder().setUnits(units).build())
                        .add(Linear.builder().setUnits(2).build());
        block.initialize(manager, DataType.FLOAT32, new Shape(1, 3));
        return block;
    }

    private static void update(Block block, Adam adam, NDManager manager) {
        StateDict.parameters(block)
                .values()
                .forEach(
                        parameter -> {
                            NDArray weight = parameter.getArray();
                            adam.update(
                                    parameter.getId(),
                                    weight,
                                    manager.randomNormal(weight.getShape()));
                        });
    }

    /** Weights and moments, one after the other. */
    private static float[] state(Block block, Adam adam, NDManager manager) {
        NDArray all = manager.create(new float[] {adam.step()});
        for (NDArray array : StateDict.of(block).arrays().values()) {
            all = all.concat(array.flatten());
        }
        for (NDArray array : adam.state(manager, StateDict.parameters(block)).values()) {
            all = all.concat(array.toType(DataType.FLOAT32, true).flatten());
        }
        return all.toFloatArray();
    }

    private byte[] written(NDManager manager) throws IOException {
        Block block = block(manager, 4);
        try (Adam adam = Adam.builder().build()) {
            update(block, adam, manager);
            Checkpoint.write(file, block, adam, 12, RUN);
        }
        return Files.readAllBytes(file);
    }

    private String unreadable() {
        String message =
                assertThrows(IOException.class, () -> Checkpoint.read(file).close()).getMessage();
        assertTrue(message.startsWith("Checkpoint: " + file), message);
        assertTrue(message.endsWith("start the training anew without one"), message);
        return message;
    }

    @Test
    void restoresEverything(NDManager manager) throws IOException {
        Block block = block(manager, 4);
        Block other = block(manager, 4);
        try (Adam adam = Adam.builder().build();
                Adam fresh = Adam.builder().build()) {
            update(block, adam, manager);
            update(block, adam, manager);
            Checkpoint.write(file, block, adam, 12, RUN);
            try (Checkpoint checkpoint = Checkpoint.read(file)) {
                assertEquals(12, checkpoint.step());
                assertEquals(RUN, checkpoint.run());
                checkpoint.requireRun(RUN);
                checkpoint.restore(other, fresh);
            }
            assertArrayEquals(state(block, adam, manager), state(other, fresh, manager));
            assertEquals(2, fresh.step());
        }
    }

    /** A state is no part of what tells a run from others; old checkpoints have none. */
    @Test
    void keepsAState(NDManager manager) throws IOException {
        Block block = block(manager, 4);
        try (Adam adam = Adam.builder().build()) {
            Map<String, String> state = Map.of("seed", "8", "größe", "\"4\"\n");
            Checkpoint.write(file, block, adam, 12, RUN, state);
            try (Checkpoint checkpoint = Checkpoint.read(file)) {
                assertEquals(RUN, checkpoint.run());
                assertEquals(state, checkpoint.state());
                checkpoint.requireRun(RUN);
            }
            Checkpoint.write(file, block, adam, 12, RUN);
            try (Checkpoint checkpoint = Checkpoint.read(file)) {
                assertEquals(Map.of(), checkpoint.state());
            }
        }
    }

    /** Before the first step there are weights and no moments. */
    @Test
    void restoresTheStart(NDManager manager) throws IOException {
        Block block = block(manager, 4);
        try (Adam adam = Adam.builder().build()) {
            Checkpoint.write(file, block, adam, 0, Map.of());
            float[] before = state(block, adam, manager);
            update(block, adam, manager);
            try (Checkpoint checkpoint = Checkpoint.read(file)) {
                checkpoint.restore(block, adam);
                assertEquals(Map.of(), checkpoint.run());
            }
            assertArrayEquals(before, state(block, adam, manager));
        }
    }

    @Test
    void isAFileThatPythonReads(NDManager manager) throws IOException {
        written(manager);
        try (StateDict dict = StateDict.read(file)) {
            assertTrue(
                    dict.names()
                            .containsAll(
                                    Set.of(
                                            "model.0.weight",
                                            "model.1.bias",
                                            "optimizer.0.weight.exp_avg",
                                            "optimizer.0.weight.exp_avg_sq",
                                            "optimizer.1.bias.step")),
                    dict.names().toString());
            assertEquals("12", dict.metadata().get("step"));
            assertEquals("7", dict.metadata().get("run.seed"));
        }
    }

    @Test
    void refusesATruncatedFileWhateverIsLeft(NDManager manager) throws IOException {
        byte[] whole = written(manager);
        for (int length = 0; length < whole.length; length += 1 + length / 20) {
            Files.write(file, Arrays.copyOf(whole, length));
            assertTrue(unreadable().contains("is damaged or no checkpoint"));
        }
        Files.write(file, Arrays.copyOf(whole, whole.length + 1));
        unreadable();
    }

    /** No bit of the file can change unnoticed, but for spaces. */
    @Test
    void refusesADamagedFileWhereverItIs(NDManager manager) throws IOException {
        byte[] whole = written(manager);
        for (int at = 0; at < whole.length; at += 3) {
            byte[] damaged = whole.clone();
            damaged[at] ^= 1;
            if (whole[at] == ' ' || damaged[at] == ' ') {
                continue;
            }
            Files.write(file, damaged);
            unreadable();
        }
    }

    @Test
    void refusesWhatIsNoCheckpoint(NDManager manager) throws IOException {
        assertTrue(unreadable().contains("does not exist"));
        Files.writeString(file, "no checkpoint at all");
        assertTrue(unreadable().contains("neither a safetensors file"));
        Block block = block(manager, 4);
        StateDict.of(block).write(file);
        assertTrue(unreadable().contains("is not a checkpoint of this version (it says of no"));
        StateDict.of(block).withMetadata(Map.of("format", "slotwise-checkpoint-9")).write(file);
        assertTrue(unreadable().contains("(it says slotwise-checkpoint-9)"));
        Files.delete(file);
        Files.createDirectory(file);
        unreadable();
    }

    @Test
    void refusesAnotherRunAndSaysWhy(NDManager manager) throws IOException {
        written(manager);
        try (Checkpoint checkpoint = Checkpoint.read(file)) {
            Map<String, String> other = Map.of("seed", "8", "steps", "5");
            String message =
                    assertThrows(IOException.class, () -> checkpoint.requireRun(other))
                            .getMessage();
            assertTrue(message.startsWith("Checkpoint: " + file + " is of another run"), message);
            assertTrue(message.contains("seed was 7 and is now 8"), message);
            assertTrue(message.contains("steps was not set and is now 5"), message);
            assertTrue(message.contains("and is now not set"), message);
        }
    }

    /** Of another kind of model everything differs: some of it is enough. */
    @Test
    void doesNotTellAllDifferences(NDManager manager) throws IOException {
        written(manager);
        Map<String, String> other = new TreeMap<>();
        for (int i = 0; i < 100; i++) {
            other.put("a" + i, "x");
        }
        try (Checkpoint checkpoint = Checkpoint.read(file)) {
            int own = checkpoint.run().size();
            String message =
                    assertThrows(IOException.class, () -> checkpoint.requireRun(other))
                            .getMessage();
            assertTrue(message.contains("a0 was not set and is now x"), message);
            assertTrue(message.contains(", and " + (100 + own - 8) + " more; go on"), message);
        }
    }

    @Test
    void restoresNothingToAnotherModel(NDManager manager) throws IOException {
        written(manager);
        Block other = block(manager, 5);
        try (Adam adam = Adam.builder().build();
                Checkpoint checkpoint = Checkpoint.read(file)) {
            update(other, adam, manager);
            float[] before = state(other, adam, manager);
            String message =
                    assertThrows(IOException.class, () -> checkpoint.restore(other, adam))
                            .getMessage();
            assertTrue(message.contains(file + " is of another model"), message);
            assertArrayEquals(before, state(other, adam, manager));
        }
    }

    /** The moments fit, or there are none, but the weights do not. */
    @Test
    void restoresBothOrNeither(NDManager manager) throws IOException {
        Block block = block(manager, 4);
        Block other = block(manager, 5);
        try (Adam adam = Adam.builder().build();
                Adam fresh = Adam.builder().build()) {
            Checkpoint.write(file, block, fresh, 0, RUN);
            update(other, adam, manager);
            float[] before = state(other, adam, manager);
            try (Checkpoint checkpoint = Checkpoint.read(file)) {
                assertThrows(IOException.class, () -> checkpoint.restore(other, adam));
            }
            assertArrayEquals(before, state(other, adam, manager));
        }
    }

    @Test
    void writesOnlyWhereItCan(NDManager manager) throws IOException {
        byte[] former = written(manager);
        Block block = block(manager, 4);
        try (Adam adam = Adam.builder().build()) {
            assertThrows(
                    IllegalArgumentException.class,
                    () -> Checkpoint.write(folder.resolve("c.npz"), block, adam, 1, RUN));
            assertThrows(
                    IllegalArgumentException.class,
                    () -> Checkpoint.write(file, block, adam, -1, RUN));
            Path nowhere = folder.resolve("no").resolve("c.safetensors");
            String message =
                    assertThrows(
                                    IOException.class,
                                    () -> Checkpoint.write(nowhere, block, adam, 1, RUN))
                            .getMessage();
            assertTrue(message.contains("cannot write " + nowhere), message);
        }
        assertArrayEquals(former, Files.readAllBytes(file));
    }
}
