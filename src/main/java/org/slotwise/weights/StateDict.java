package org.slotwise.weights;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.nn.Block;
import ai.djl.nn.Parameter;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import org.slotwise.internal.AtomicFile;
import org.slotwise.internal.Check;
import org.slotwise.internal.Ops;

/**
 * Arrays by name: the parameters of a block as PyTorch's {@code state_dict()} names them, and files
 * of them that Python reads and writes.
 *
 * <pre>{@code
 * StateDict.of(block).write(Path.of("weights.safetensors"));
 *
 * try (StateDict weights = StateDict.read(Path.of("weights.safetensors"))) {
 *     weights.loadInto(block);
 * }
 * }</pre>
 *
 * <p>The names of a block's parameters:
 *
 * <ul>
 *   <li>a parameter's own name; of DJL's LayerNorm and BatchNorm "weight", "bias", "running_mean"
 *       and "running_var" for gamma, beta, runningMean and runningVar;
 *   <li>before it the child's name, less the two digits that DJL puts before it, and a dot;
 *   <li>children of SequentialBlock and ParallelBlock are named by their index from 0, as in {@code
 *       torch.nn.Sequential} and {@code ModuleList}. Blocks without parameters count.
 * </ul>
 *
 * <p>The blocks of this library have the names of the Object-Centric Learning Framework. Files with
 * other names are mended with {@link #under}, {@link #rename(UnaryOperator)}, {@link #select} and,
 * for whole models, {@link NameMap}.
 *
 * <p>Three formats, told apart by content when read: safetensors, numpy's npz and PyTorch's own
 * (".pt", ".pth", ".ckpt"). The first two are also written, told apart by suffix. float64, float32,
 * float16, int64, int32, int8, uint8 and boolean are read as they are, bfloat16 as float32; other
 * types are an error. Arrays go up to 2 GiB, safetensors and PyTorch's files further.
 *
 * <p>PyTorch's files hold a pickle, a program in fact. Of it only what state dicts need is
 * understood, and nothing is run: a file that names anything else is refused. The names of nested
 * dicts and lists are joined by dots, and what is not a tensor is passed over; of a Lightning
 * checkpoint "state_dict" alone is read.
 */
public final class StateDict implements AutoCloseable {

    private static final String WHO = "StateDict";

    private final String source;
    private final Map<String, NDArray> arrays;
    private final Map<String, String> metadata;
    private final @Nullable NDManager owner;

    StateDict(
            String source,
            Map<String, NDArray> arrays,
            Map<String, String> metadata,
            @Nullable NDManager owner) {
        this.source = source;
        this.arrays = Collections.unmodifiableMap(arrays);
        this.metadata = Collections.unmodifiableMap(metadata);
        this.owner = owner;
    }

    /**
     * The parameters of a block.
     *
     * @param block a block whose parameters all have values
     * @return the parameters' own arrays, not copies; closing it closes none of them
     * @throws IllegalStateException if the block is not initialized
     * @throws IllegalArgumentException if two parameters have one name
     */
    public static StateDict of(Block block) {
        Map<String, NDArray> arrays = BlockParameters.of(block).arrays();
        String source = "the parameters of " + block.getClass().getSimpleName();
        return new StateDict(source, arrays, Map.of(), null);
    }

    /**
     * The parameters of a block by the names that their arrays have in {@link #of(Block)}.
     *
     * @param block a block
     * @return the block's own parameters
     * @throws IllegalArgumentException if two parameters have one name
     */
    public static Map<String, Parameter> parameters(Block block) {
        return BlockParameters.of(block).parameters();
    }

    /**
     * The parameters of a model's blocks.
     *
     * @param blocks blocks whose parameters all have values, by the name of their part: "encoder"
     *     makes "encoder.norm.weight" of "norm.weight"
     * @return the parameters' own arrays, not copies; closing it closes none of them
     * @throws IllegalStateException if a block is not initialized
     * @throws IllegalArgumentException if two parameters have one name
     */
    public static StateDict ofParts(Map<String, ? extends Block> blocks) {
        Map<String, NDArray> arrays = BlockParameters.of(blocks).arrays();
        return new StateDict("the parameters of " + blocks.keySet(), arrays, Map.of(), null);
    }

    /**
     * Any arrays.
     *
     * @param arrays arrays of the PyTorch engine by name
     * @return these arrays, not copies; closing it closes none of them
     */
    public static StateDict of(Map<String, NDArray> arrays) {
        arrays.forEach((name, array) -> Check.ofEngine(WHO, name, array));
        return new StateDict("a map", new LinkedHashMap<>(arrays), Map.of(), null);
    }

    /**
     * Reads a file.
     *
     * @param path a safetensors or npz file, or one that {@code torch.save} wrote
     * @return its arrays on the CPU, until the result is closed
     * @throws IOException if it cannot be read, is of another format, damaged, or holds a type that
     *     is not supported; the message names the file and what is wrong
     */
    public static StateDict read(Path path) throws IOException {
        return read(path, ReadOptions.builder().build());
    }

    /**
     * Reads a file, or a part of it.
     *
     * @param path a safetensors or npz file, or one that {@code torch.save} wrote
     * @param options what to read, and how
     * @return its arrays on the CPU, until the result is closed
     * @throws IOException if it cannot be read, is of another format, damaged, or holds a type that
     *     is not supported; the message names the file and what is wrong
     */
    public static StateDict read(Path path, ReadOptions options) throws IOException {
        return StateDictReader.read(path, options);
    }

    /**
     * Reads a stream to its end, by way of a temporary file.
     *
     * @param in what such a file holds; it is not closed
     * @return its arrays on the CPU, until the result is closed
     * @throws IOException as for a file
     */
    public static StateDict read(InputStream in) throws IOException {
        return StateDictReader.read(in, ReadOptions.builder().build());
    }

    /** Where the arrays come from, for errors. */
    String source() {
        return source;
    }

    /** What frees the arrays that were read. */
    @Nullable NDManager owner() {
        return owner;
    }

    /** Other arrays of the same source; a manager that is part of this one's, or of its own. */
    StateDict with(Map<String, NDArray> others, NDManager manager) {
        return new StateDict(source, others, metadata, owner == null ? manager : owner);
    }

    /**
     * The names.
     *
     * @return in the order of the block or the file
     */
    public Set<String> names() {
        return arrays.keySet();
    }

    /**
     * One array.
     *
     * @param name its name
     * @return the array
     * @throws IllegalArgumentException if there is none of this name
     */
    public NDArray get(String name) {
        NDArray array = arrays.get(name);
        if (array == null) {
            throw new IllegalArgumentException(
                    WHO
                            + ": no "
                            + name
                            + " in "
                            + source
                            + ", only ["
                            + LoadReport.some(arrays.keySet())
                            + "]");
        }
        return array;
    }

    /**
     * All arrays.
     *
     * @return the arrays by name, in the order of the block or the file
     */
    public Map<String, NDArray> arrays() {
        return arrays;
    }

    /**
     * What the file says beside its arrays: the metadata of safetensors.
     *
     * @return texts by name; empty if there are none
     */
    public Map<String, String> metadata() {
        return metadata;
    }

    /**
     * The same arrays with something said beside them. Safetensors files have a place for it; npz
     * archives have none, and are written without it.
     *
     * @param texts texts by name, in place of those that are there
     * @return a state dict that shares the arrays; closing either closes both
     */
    public StateDict withMetadata(Map<String, String> texts) {
        return new StateDict(source, arrays, new TreeMap<>(texts), owner);
    }

    /**
     * The same arrays by other names.
     *
     * @param names gives the new name for the old
     * @return a state dict that shares the arrays; closing either closes both
     * @throws IllegalArgumentException if two arrays would have one name, or one would have none
     */
    public StateDict rename(UnaryOperator<String> names) {
        Map<String, NDArray> renamed = new LinkedHashMap<>();
        arrays.forEach(
                (name, array) -> {
                    String to = names.apply(name);
                    Check.option(to != null, WHO + ": no new name for " + name);
                    if (renamed.put(to, array) != null) {
                        throw new IllegalArgumentException(
                                WHO + ": two arrays of " + source + " would be named " + to);
                    }
                });
        return new StateDict(source, renamed, metadata, owner);
    }

    /**
     * The same arrays, some by other names.
     *
     * @param names the new names by the old; names that are not in it stay
     * @return a state dict that shares the arrays; closing either closes both
     * @throws IllegalArgumentException if two arrays would have one name, or an old name is not
     *     there
     */
    public StateDict rename(Map<String, String> names) {
        names.keySet().forEach(this::get);
        return rename(name -> names.getOrDefault(name, name));
    }

    /**
     * The arrays whose names begin with a prefix, without it: a part of a larger model.
     *
     * @param prefix "perceptual_grouping." for instance
     * @return a state dict that shares the arrays; closing either closes both
     */
    public StateDict under(String prefix) {
        return select(name -> name.startsWith(prefix))
                .rename(name -> name.substring(prefix.length()));
    }

    /**
     * Some of the arrays.
     *
     * @param which the names to keep
     * @return a state dict that shares the arrays; closing either closes both
     */
    public StateDict select(Predicate<String> which) {
        Map<String, NDArray> selected = new LinkedHashMap<>(arrays);
        selected.keySet().removeIf(which.negate());
        return new StateDict(source, selected, metadata, owner);
    }

    /**
     * Requires every number to be finite: those of a trained model are, unless its file was damaged
     * or its training ended in NaN.
     *
     * @return this
     * @throws IllegalArgumentException if one is NaN or infinite; it names the array
     */
    public StateDict requireFinite() {
        for (Map.Entry<String, NDArray> entry : arrays.entrySet()) {
            NDArray array = entry.getValue();
            if (array.getDataType().isFloating() && array.size() > 0) {
                // x - x is 0, and NaN for what is not finite.
                try (NDArray zeros = array.sub(array);
                        NDArray sum = zeros.sum()) {
                    Check.option(
                            !Double.isNaN(Ops.read(sum)[0]),
                            "StateDict: "
                                    + entry.getKey()
                                    + " must be finite, got a number that is NaN or infinite");
                }
            }
        }
        return this;
    }

    /**
     * Gives the parameters of a block these values: all of them, or none if anything does not fit.
     *
     * <p>Values are copied to the block's device and, between float64, float32 and float16,
     * converted to its type (what is too large for it becomes infinite). Which parameters are
     * trained does not change. PyTorch's counter "num_batches_tracked" of a BatchNorm is passed
     * over, because DJL keeps none. Copies that a {@link ai.djl.training.ParameterStore} has made
     * for other devices are not reached: load before training.
     *
     * @param block an initialized block
     * @throws IllegalArgumentException if names are missing or unexpected, shapes differ, or types
     *     cannot be converted; one error lists them all
     * @throws IllegalStateException if the block is not initialized
     */
    public void loadInto(Block block) {
        BlockParameters.of(block).overwrite(arrays, source);
    }

    /**
     * Gives the parameters of a model's blocks these values: all of them, or none if anything does
     * not fit. Otherwise as {@link #loadInto(Block)}.
     *
     * @param blocks initialized blocks by the name of their part, as in {@link #ofParts}
     * @throws IllegalArgumentException as for a block
     * @throws IllegalStateException if a block is not initialized
     */
    public void loadInto(Map<String, ? extends Block> blocks) {
        BlockParameters.of(blocks).overwrite(arrays, source);
    }

    /**
     * What {@link #loadInto(Block)} would do; nothing is changed.
     *
     * @param block an initialized block
     * @return what fits, what is missing, what is left over
     * @throws IllegalStateException if the block is not initialized
     */
    public LoadReport report(Block block) {
        return BlockParameters.of(block).report(arrays);
    }

    /**
     * What {@link #loadInto(Map)} would do; nothing is changed.
     *
     * @param blocks initialized blocks by the name of their part
     * @return what fits, what is missing, what is left over
     * @throws IllegalStateException if a block is not initialized
     */
    public LoadReport report(Map<String, ? extends Block> blocks) {
        return BlockParameters.of(blocks).report(arrays);
    }

    /**
     * Writes a file in the format that its suffix names. It is written beside the target and moved
     * there when complete: whatever fails, the old file or the new one is there, never a part. It
     * keeps the permissions of the old file, and symbolic links to it.
     *
     * @param path a path that ends in ".safetensors" or ".npz"
     * @throws IOException if it cannot be written; the message names the file
     * @throws IllegalArgumentException if the suffix is another, a type or metadata have no place
     *     in the format, or the arrays exceed 2 GiB
     */
    public void write(Path path) throws IOException {
        StateDictFormat format = StateDictFormat.of(path);
        try {
            AtomicFile.write(path, out -> write(out, format));
        } catch (IOException e) {
            throw new IOException(WHO + ": " + e.getMessage(), e);
        }
    }

    /**
     * Writes to a stream.
     *
     * @param out where to; flushed, not closed
     * @param format how
     * @throws IOException if it cannot be written
     * @throws IllegalArgumentException if a type has no place in the format, or the arrays exceed 2
     *     GiB
     */
    public void write(OutputStream out, StateDictFormat format) throws IOException {
        BufferedOutputStream buffered = new BufferedOutputStream(out);
        format.encode(arrays, metadata, buffered);
        buffered.flush();
    }

    /** Frees the arrays that were read. Those of a block or a map stay open. */
    @Override
    public void close() {
        if (owner != null) {
            owner.close();
        }
    }
}
