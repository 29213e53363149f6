package org.slotwise.weights;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.DataType;
import ai.djl.nn.Block;
import ai.djl.nn.ParallelBlock;
import ai.djl.nn.Parameter;
import ai.djl.nn.SequentialBlock;
import ai.djl.nn.norm.BatchNorm;
import ai.djl.nn.norm.LayerNorm;
import ai.djl.util.Pair;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.slotwise.internal.Check;
import org.slotwise.internal.Ops;

/** The parameters of a block by their state-dict names. */
final class BlockParameters {

    private static final Map<String, String> NORM_NAMES =
            Map.of(
                    "gamma", "weight",
                    "beta", "bias",
                    "runningMean", "running_mean",
                    "runningVar", "running_var");

    /** Comparing names takes time; a few hints tell what is wrong. */
    private static final int MAX_HINTS = 20;

    private final String block;
    private final Map<String, Parameter> parameters = new LinkedHashMap<>();

    /** Names that PyTorch's modules write and DJL's blocks have no use for. */
    private final Set<String> spare = new HashSet<>();

    private BlockParameters(String block) {
        this.block = block;
    }

    /**
     * Names the parameters of a block.
     *
     * @throws IllegalArgumentException if two have one name
     */
    static BlockParameters of(Block block) {
        BlockParameters all = new BlockParameters(block.getClass().getSimpleName());
        all.collect("", block);
        return all;
    }

    /**
     * Names the parameters of several blocks, each after the block's name and a dot.
     *
     * @throws IllegalArgumentException if two have one name
     */
    static BlockParameters of(Map<String, ? extends Block> blocks) {
        BlockParameters all = new BlockParameters(String.join(", ", blocks.keySet()));
        blocks.forEach((name, block) -> all.collect(name + ".", block));
        return all;
    }

    private void collect(String prefix, Block from) {
        boolean norm = from instanceof LayerNorm || from instanceof BatchNorm;
        for (Pair<String, Parameter> own : from.getDirectParameters()) {
            String name = norm ? NORM_NAMES.getOrDefault(own.getKey(), own.getKey()) : own.getKey();
            if (parameters.put(prefix + name, own.getValue()) != null) {
                throw new IllegalArgumentException(
                        "StateDict: two parameters of " + block + " are named " + prefix + name);
            }
        }
        if (from instanceof BatchNorm) {
            spare.add(prefix + "num_batches_tracked");
        }
        boolean numbered = from instanceof SequentialBlock || from instanceof ParallelBlock;
        int index = 0;
        for (Pair<String, Block> child : from.getChildren()) {
            String name = numbered ? Integer.toString(index) : withoutNumber(child.getKey(), index);
            collect(prefix + name + ".", child.getValue());
            index++;
        }
    }

    /** DJL puts a child's place, from 01, before its name. */
    private static String withoutNumber(String key, int index) {
        String number = String.format(Locale.ROOT, "%02d", index + 1);
        return key.startsWith(number) ? key.substring(number.length()) : key;
    }

    Map<String, Parameter> parameters() {
        return Collections.unmodifiableMap(parameters);
    }

    /**
     * The parameters' own arrays.
     *
     * @throws IllegalStateException if one has none yet
     */
    Map<String, NDArray> arrays() {
        Map<String, NDArray> arrays = new LinkedHashMap<>();
        Set<String> missing = new LinkedHashSet<>();
        parameters.forEach(
                (name, parameter) -> {
                    if (parameter.isInitialized()) {
                        arrays.put(name, parameter.getArray());
                    } else {
                        missing.add(name);
                    }
                });
        if (!missing.isEmpty()) {
            throw new IllegalStateException(
                    "StateDict: initialize "
                            + block
                            + " first; these parameters have no values yet: "
                            + String.join(", ", missing));
        }
        return arrays;
    }

    /**
     * Gives all parameters new values, or none.
     *
     * @param source where the values come from, for the error
     * @throws IllegalArgumentException if they do not fit; names everything that does not
     */
    void overwrite(Map<String, NDArray> values, String source) {
        LoadReport report = report(values);
        Map<String, NDArray> own = arrays();
        if (!report.fits()) {
            throw new IllegalArgumentException(
                    "StateDict: cannot load "
                            + source
                            + " into "
                            + block
                            + hint(own.keySet(), values.keySet())
                            + report.faults());
        }
        own.forEach((name, array) -> Ops.overwrite(array, value(values, name)));
    }

    private static NDArray value(Map<String, NDArray> values, String name) {
        return Objects.requireNonNull(values.get(name), name);
    }

    /** What fits and what does not. */
    LoadReport report(Map<String, NDArray> values) {
        Set<String> loaded = new LinkedHashSet<>();
        Set<String> missing = new LinkedHashSet<>();
        List<String> misfits = new ArrayList<>();
        Map<String, NDArray> own = arrays();
        own.forEach(
                (name, array) -> {
                    NDArray value = values.get(name);
                    if (value == null) {
                        missing.add(name);
                    } else if (!fault(name, array, value, misfits)) {
                        loaded.add(name);
                    }
                });
        Set<String> unexpected = new LinkedHashSet<>(values.keySet());
        unexpected.removeAll(own.keySet());
        unexpected.removeAll(spare);
        NearestName nearestName = new NearestName(unexpected);
        Map<String, String> nearest = new LinkedHashMap<>();
        missing.stream()
                .limit(MAX_HINTS)
                .forEach(
                        name -> {
                            String found = nearestName.of(name);
                            if (found != null) {
                                nearest.put(name, found);
                            }
                        });
        return new LoadReport(loaded, missing, unexpected, misfits, nearest);
    }

    private static boolean fault(String name, NDArray own, NDArray value, List<String> faults) {
        int before = faults.size();
        if (own.isReleased() || value.isReleased()) {
            faults.add(name + " is closed");
        } else if (!own.getShape().equals(value.getShape())) {
            faults.add(name + " must be " + own.getShape() + ", got " + value.getShape());
        } else if (own.getDataType() != value.getDataType()
                && !(isReal(own.getDataType()) && isReal(value.getDataType()))) {
            faults.add(
                    name
                            + " must be "
                            + Check.name(own.getDataType())
                            + ", got "
                            + Check.name(value.getDataType())
                            + ", which is not converted");
        }
        return faults.size() > before;
    }

    private static boolean isReal(DataType type) {
        return type == DataType.FLOAT64 || type == DataType.FLOAT32 || type == DataType.FLOAT16;
    }

    /** Says so if the block's names are all there, behind a prefix. */
    private static String hint(Set<String> own, Set<String> given) {
        return own.stream()
                .limit(1)
                .flatMap(
                        first ->
                                given.stream()
                                        .filter(n -> n.endsWith("." + first))
                                        .map(n -> n.substring(0, n.length() - first.length())))
                .filter(prefix -> own.stream().allMatch(name -> given.contains(prefix + name)))
                .findFirst()
                .map(prefix -> " (its names are there under \"" + prefix + "\")")
                .orElse("");
    }
}
