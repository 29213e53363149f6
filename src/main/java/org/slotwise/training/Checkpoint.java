package org.slotwise.training;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.nn.Block;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.slotwise.internal.AtomicFile;
import org.slotwise.internal.Check;
import org.slotwise.weights.StateDict;
import org.slotwise.weights.StateDictFormat;

/**
 * A training as it was after a step: the weights, the state of its optimizer, the number of the
 * step, and what tells one run from another. A training that goes on from it takes the same steps
 * as one that was never interrupted, if its random numbers are those of {@link StepRandom}.
 *
 * <pre>{@code
 * trainer.step();
 * Checkpoint.write(file, trainer.getModel().getBlock(), adam, step, run);
 * }</pre>
 *
 * <pre>{@code
 * try (Checkpoint checkpoint = Checkpoint.read(file)) {
 *     checkpoint.requireRun(run);
 *     checkpoint.restore(model.getBlock(), adam);
 *     step = checkpoint.step();
 * }
 * }</pre>
 *
 * <p>The run is described by texts: the seed, and every option that changes what a step does. Not
 * part of a checkpoint are a {@link ai.djl.metric.Metrics} of the trainer, and streams of random
 * numbers such as that of a {@code RandomConditioning} with a seed of its own.
 *
 * <p>A checkpoint is one safetensors file, which Python's safetensors reads:
 *
 * <pre>{@code
 * model.<name>                        each parameter, named as in StateDict
 * optimizer.<name>.exp_avg            Adam's moments, or
 * optimizer.<name>.exp_avg_sq
 * optimizer.<name>.square_avg         RMSprop's, and the number of updates,
 * optimizer.<name>.step               of each parameter that was ever updated
 * average.<name>                      the weights' average, where a training keeps one
 * metadata: format, step, checksum, average (the number of its updates),
 *           run.<name>                for each text of the run, state.<name> for each of its state
 * }</pre>
 *
 * <p>It is written beside the file and moved to its name when it is complete and on the disk: at
 * any time the former checkpoint is there or the new one, whatever is killed or full. It keeps the
 * permissions of the former one, and symbolic links to it. Where several write one checkpoint, the
 * last one's stays. The checksum, SHA-256, is over everything else.
 */
public final class Checkpoint implements AutoCloseable {

    private static final String WHO = "Checkpoint";
    private static final String FORMAT = "format";
    private static final String VERSION = "slotwise-checkpoint-1";
    private static final String STEP = "step";
    private static final String RUN = "run.";
    private static final String STATE = "state.";
    private static final String CHECKSUM = "checksum";
    private static final String MODEL = "model.";
    private static final String OPTIMIZER = "optimizer.";

    /** How many differences between runs are told. */
    private static final int TOLD = 8;

    private final Path file;
    private final StateDict content;
    private final long step;

    private Checkpoint(Path file, StateDict content, long step) {
        this.file = file;
        this.content = content;
        this.step = step;
    }

    /**
     * Writes a checkpoint, in place of one that is there.
     *
     * @param file a path that ends in ".safetensors"
     * @param block the block that is being trained
     * @param optimizer its optimizer
     * @param step the number of the last step that was taken, at least 0
     * @param run what tells this run from others
     * @throws IOException if it cannot be written; the file is as it was before then
     * @throws IllegalArgumentException if the path ends otherwise, or the step is negative
     */
    public static void write(
            Path file, Block block, StatefulOptimizer optimizer, long step, Map<String, String> run)
            throws IOException {
        write(file, block, optimizer, step, run, Map.of());
    }

    /**
     * Writes a checkpoint with a state of the training's own, in place of one that is there.
     *
     * @param file a path that ends in ".safetensors"
     * @param block the block that is being trained
     * @param optimizer its optimizer
     * @param step the number of the last step that was taken, at least 0
     * @param run what tells this run from others
     * @param state what else changes from step to step: {@link PlateauDecay#state} for instance
     * @throws IOException if it cannot be written; the file is as it was before then
     * @throws IllegalArgumentException if the path ends otherwise, or the step is negative
     */
    public static void write(
            Path file,
            Block block,
            StatefulOptimizer optimizer,
            long step,
            Map<String, String> run,
            Map<String, String> state)
            throws IOException {
        write(file, block, optimizer, null, step, run, state);
    }

    /**
     * Writes a checkpoint with an average of the weights, in place of one that is there.
     *
     * @param file a path that ends in ".safetensors"
     * @param block the block that is being trained
     * @param optimizer its optimizer
     * @param average of the weights of this block, or of a part of it; null for none
     * @param step the number of the last step that was taken, at least 0
     * @param run what tells this run from others
     * @param state what else changes from step to step
     * @throws IOException if it cannot be written; the file is as it was before then
     * @throws IllegalArgumentException if the path ends otherwise, or the step is negative
     * @throws IllegalStateException if the averages are in the block
     */
    public static void write(
            Path file,
            Block block,
            StatefulOptimizer optimizer,
            @Nullable WeightAverage average,
            long step,
            Map<String, String> run,
            Map<String, String> state)
            throws IOException {
        Check.option(
                file.toString().endsWith(".safetensors"),
                WHO + ": a file must end in .safetensors, got " + file);
        Check.option(step >= 0, WHO + ": step must be at least 0, got " + step);
        Map<String, NDArray> arrays = new LinkedHashMap<>();
        StateDict.of(block).arrays().forEach((name, array) -> arrays.put(MODEL + name, array));
        Map<String, String> texts = new TreeMap<>();
        run.forEach((name, value) -> texts.put(RUN + name, value));
        state.forEach((name, value) -> texts.put(STATE + name, value));
        texts.put(FORMAT, VERSION);
        texts.put(STEP, Long.toString(step));
        if (average != null) {
            SavedAverage.put(average, arrays, texts);
        }
        try (NDManager host = NDManager.newBaseManager(Device.cpu(), "PyTorch")) {
            optimizer
                    .state(host, StateDict.parameters(block))
                    .forEach((name, array) -> arrays.put(OPTIMIZER + name, array));
            texts.put(CHECKSUM, Checksum.of(arrays, texts));
            AtomicFile.deleteUnfinished(file);
            StateDict content = StateDict.of(arrays).withMetadata(texts);
            AtomicFile.write(file, out -> content.write(out, StateDictFormat.SAFETENSORS));
        } catch (IOException e) {
            throw new IOException(
                    WHO
                            + ": "
                            + e.getMessage()
                            + "; what was there is left as it was. Is the disk full?",
                    e);
        }
    }

    /**
     * Reads a checkpoint.
     *
     * @param file the file
     * @return the checkpoint, on the CPU, until it is closed
     * @throws IOException if the file is not there, cannot be read, is damaged, or is no
     *     checkpoint; the message names it and says what to do
     */
    public static Checkpoint read(Path file) throws IOException {
        if (!Files.isRegularFile(file)) {
            throw unusable(file, "does not exist, or is not a file", null);
        }
        StateDict content;
        try {
            content = StateDict.read(file);
        } catch (IOException e) {
            throw unusable(file, "is damaged or no checkpoint (" + e.getMessage() + ")", e);
        }
        boolean done = false;
        try {
            Checkpoint checkpoint = new Checkpoint(file, content, step(file, content));
            done = true;
            return checkpoint;
        } finally {
            if (!done) {
                content.close();
            }
        }
    }

    private static long step(Path file, StateDict content) throws IOException {
        Map<String, String> texts = new TreeMap<>(content.metadata());
        String format = texts.get(FORMAT);
        if (!VERSION.equals(format)) {
            String says = format == null ? "says of no format" : "says " + format;
            throw unusable(file, "is not a checkpoint of this version (it " + says + ")", null);
        }
        String checksum = texts.remove(CHECKSUM);
        if (!Checksum.of(content.arrays(), texts).equals(checksum)) {
            throw unusable(file, "is damaged: its checksum is wrong", null);
        }
        try {
            long step = Long.parseLong(texts.getOrDefault(STEP, ""));
            if (step < 0) {
                throw unusable(file, "has the step " + step, null);
            }
            return step;
        } catch (NumberFormatException e) {
            throw unusable(file, "has no step", e);
        }
    }

    private static IOException unusable(Path file, String what, @Nullable Exception cause) {
        return new IOException(
                WHO
                        + ": "
                        + file
                        + " "
                        + what
                        + "; take another checkpoint, or start the training anew without one",
                cause);
    }

    /**
     * The number of the last step that was taken.
     *
     * @return the step, at least 0
     */
    public long step() {
        return step;
    }

    /**
     * What tells the run from others.
     *
     * @return texts by name
     */
    public Map<String, String> run() {
        return texts(RUN);
    }

    /**
     * What else changed from step to step.
     *
     * @return texts by name; none where the training gave none
     */
    public Map<String, String> state() {
        return texts(STATE);
    }

    private Map<String, String> texts(String prefix) {
        Map<String, String> texts = new TreeMap<>();
        content.metadata()
                .forEach(
                        (name, value) -> {
                            if (name.startsWith(prefix)) {
                                texts.put(name.substring(prefix.length()), value);
                            }
                        });
        return texts;
    }

    /**
     * Requires this to be a checkpoint of a certain run.
     *
     * @param expected the texts of the run that is to go on
     * @throws IOException if it is one of another run; the message says in what they differ
     */
    public void requireRun(Map<String, String> expected) throws IOException {
        List<String> differences = RunDifferences.between(run(), expected);
        if (!differences.isEmpty()) {
            throw new IOException(
                    WHO
                            + ": "
                            + file
                            + " is of another run: "
                            + told(differences)
                            + "; go on with the options that it was started with, or start the"
                            + " training anew");
        }
    }

    /** The first of them: of another kind of model all options differ. */
    private static String told(List<String> differences) {
        int more = differences.size() - TOLD;
        String first =
                String.join(", ", differences.subList(0, Math.min(TOLD, differences.size())));
        return more > 0 ? first + ", and " + more + " more" : first;
    }

    /**
     * Gives a block and its optimizer the state of this checkpoint: both, or neither.
     *
     * @param block an initialized block, as it was trained
     * @param optimizer an optimizer with the options of the former one
     * @throws IOException if the checkpoint is of another model
     * @throws IllegalStateException if the block is not initialized
     */
    public void restore(Block block, StatefulOptimizer optimizer) throws IOException {
        restore(block, optimizer, null);
    }

    /**
     * Gives a block, its optimizer and the average of its weights the state of this checkpoint: all
     * of them, or none.
     *
     * @param block an initialized block, as it was trained
     * @param optimizer one with the options of the former one
     * @param average of the same block or part; null to pass over one that is there
     * @throws IOException if the checkpoint is of another model, or has no average
     * @throws IllegalStateException if the block is not initialized, or the averages are in it
     */
    public void restore(Block block, StatefulOptimizer optimizer, @Nullable WeightAverage average)
            throws IOException {
        StateDict weights = content.under(MODEL);
        Map<String, NDArray> state = content.under(OPTIMIZER).arrays();
        try (NDManager host = NDManager.newBaseManager(Device.cpu(), "PyTorch")) {
            Map<String, NDArray> former = optimizer.state(host, StateDict.parameters(block));
            optimizer.restore(StateDict.parameters(block), state);
            try {
                if (average == null) {
                    weights.loadInto(block);
                } else {
                    SavedAverage.restore(average, content, () -> weights.loadInto(block));
                }
            } catch (IllegalArgumentException e) {
                optimizer.restore(StateDict.parameters(block), former);
                throw e;
            }
        } catch (IllegalArgumentException e) {
            throw new IOException(WHO + ": " + file + " is of another model: " + e.getMessage(), e);
        }
    }

    /** Frees the arrays that were read. */
    @Override
    public void close() {
        content.close();
    }
}
