package org.slotwise.testing;

import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.nn.Block;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.Reader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.slotwise.internal.Scalars;
import org.slotwise.weights.NameMap;
import org.slotwise.weights.StateDict;

/**
 * One case that the reference implementation computed: see {@code resources/reference/README.md}.
 */
public final class ReferenceCase {

    private final String folder;
    private final JsonObject description;
    private final UnaryOperator<String> names;
    private final UnaryOperator<Map<String, NDArray>> conversion;

    private ReferenceCase(String folder, JsonObject description, UnaryOperator<String> names) {
        this(folder, description, names, UnaryOperator.identity());
    }

    private ReferenceCase(
            String folder,
            JsonObject description,
            UnaryOperator<String> names,
            UnaryOperator<Map<String, NDArray>> conversion) {
        this.folder = folder;
        this.description = description;
        this.names = names;
        this.conversion = conversion;
    }

    /** The same case, whose parameters and their gradients have our names and layouts. */
    public ReferenceCase converted(NameMap map) {
        return new ReferenceCase(folder, description, names, arrays -> converted(map, arrays));
    }

    /** The same case, one of whose arrays is multiplied by a number. */
    public ReferenceCase scaled(String name, double factor) {
        return new ReferenceCase(
                folder,
                description,
                names,
                arrays -> {
                    Map<String, NDArray> result = new LinkedHashMap<>(conversion.apply(arrays));
                    result.computeIfPresent(
                            name, (n, array) -> array.mul(Scalars.like(array, factor)));
                    return result;
                });
    }

    private static Map<String, NDArray> converted(NameMap map, Map<String, NDArray> arrays) {
        Map<String, NDArray> result = new LinkedHashMap<>();
        for (String prefix : new String[] {"param/", "grad/param/"}) {
            Map<String, NDArray> theirs = under(prefix, arrays);
            try (StateDict ours = map.apply(StateDict.of(theirs))) {
                ours.arrays()
                        .forEach(
                                (name, array) -> {
                                    NDArray copy = array.duplicate();
                                    copy.attach(theirs.values().iterator().next().getManager());
                                    result.put(prefix + name, copy);
                                });
            }
        }
        arrays.forEach(
                (name, array) -> {
                    if (!name.startsWith("param/") && !name.startsWith("grad/param/")) {
                        result.put(name, array);
                    }
                });
        return result;
    }

    /** The same case, whose arrays have other names. */
    public ReferenceCase renamed(UnaryOperator<String> others) {
        return new ReferenceCase(folder, description, others);
    }

    /** All cases of a module. */
    public static Stream<ReferenceCase> of(String kind) {
        return of("reference", kind);
    }

    /** All cases of a module in a folder of the resources. */
    public static Stream<ReferenceCase> of(String folder, String kind) {
        List<ReferenceCase> cases = new ArrayList<>();
        try (Reader reader =
                new InputStreamReader(open(folder, "cases.json"), StandardCharsets.UTF_8)) {
            for (JsonElement element :
                    JsonParser.parseReader(reader).getAsJsonObject().getAsJsonArray("cases")) {
                if (kind.equals(element.getAsJsonObject().get("kind").getAsString())) {
                    cases.add(
                            new ReferenceCase(
                                    folder, element.getAsJsonObject(), UnaryOperator.identity()));
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        assertTrue(!cases.isEmpty(), () -> "no reference case of " + kind);
        return cases.stream();
    }

    /** One case by name. */
    public static ReferenceCase named(String kind, String name) {
        return of(kind).filter(c -> c.toString().equals(name)).findFirst().orElseThrow();
    }

    private static InputStream open(String folder, String file) {
        return ReferenceCase.class.getResourceAsStream("/" + folder + "/" + file);
    }

    /** A constructor argument; null where the reference was given None or nothing. */
    public JsonElement option(String name) {
        JsonElement value = description.getAsJsonObject("config").get(name);
        return value == null || value.isJsonNull() ? null : value;
    }

    /** A whole number among the constructor arguments. */
    public int integer(String name) {
        return option(name).getAsInt();
    }

    /** Whole numbers among the constructor arguments. */
    public int[] integers(String name) {
        return option(name).getAsJsonArray().asList().stream()
                .mapToInt(JsonElement::getAsInt)
                .toArray();
    }

    /** A number among the constructor arguments, or a default. */
    public double number(String name, double otherwise) {
        return option(name) == null ? otherwise : option(name).getAsDouble();
    }

    /** A switch among the constructor arguments; off where it was not given. */
    public boolean flag(String name) {
        return option(name) != null && option(name).getAsBoolean();
    }

    /** The arrays by their full names, such as {@code in/inputs}. */
    public Map<String, NDArray> arrays(NDManager manager) {
        Map<String, NDArray> arrays = new LinkedHashMap<>();
        try (InputStream in = open(folder, this + ".npz")) {
            for (NDArray array : NDList.decode(manager, in)) {
                String name = array.getName();
                // The modules tell inputs apart by name: these are not such names.
                array.setName(null);
                arrays.put(names.apply(name), array);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return conversion.apply(arrays);
    }

    /** Those arrays whose names begin with a prefix, by the rest of their names. */
    public static Map<String, NDArray> under(String prefix, Map<String, NDArray> arrays) {
        Map<String, NDArray> result = new LinkedHashMap<>();
        arrays.forEach(
                (name, array) -> {
                    if (name.startsWith(prefix)) {
                        result.put(name.substring(prefix.length()), array);
                    }
                });
        return result;
    }

    /**
     * The parameters' arrays of a block by the reference's names: a child's name, less DJL's two
     * digits, a dot, the parameter's own name.
     */
    public static Map<String, NDArray> parameters(Block block) {
        Map<String, NDArray> result = new LinkedHashMap<>();
        block.getDirectParameters().forEach(p -> result.put(p.getKey(), p.getValue().getArray()));
        block.getChildren()
                .forEach(
                        child ->
                                parameters(child.getValue())
                                        .forEach(
                                                (name, array) ->
                                                        result.put(
                                                                child.getKey().substring(2)
                                                                        + "."
                                                                        + name,
                                                                array)));
        return result;
    }

    @Override
    public String toString() {
        return description.get("name").getAsString();
    }
}
