package org.slotwise.weights;

import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import ai.djl.nn.Parameter;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.google.gson.JsonPrimitive;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import org.slotwise.internal.AtomicFolder;
import org.slotwise.internal.ParameterArray;

/**
 * A folder that diffusers' {@code save_pretrained} wrote: {@code config.json}, and the weights
 * beside it. The networks that read it ask for each option that they know; what nobody asked for is
 * an error, unless it is null or false, so that no option is passed over in silence.
 */
public final class DiffusersFolder {

    static final String CONFIG = "config.json";
    static final String SCHEDULER = "scheduler_config.json";

    /** What {@code save_pretrained} writes into every file. */
    private static final Set<String> OF_ALL =
            Set.of("_class_name", "_diffusers_version", "_name_or_path", "_commit_hash");

    private static final long MOST_BYTES = 1 << 20;

    private static final JsonElement FALSE = new JsonPrimitive(false);

    private final Path folder;
    private final String file;
    private final JsonObject options;
    private final Set<String> known = new HashSet<>(OF_ALL);

    private DiffusersFolder(Path folder, String file, JsonObject options) {
        this.folder = folder;
        this.file = file;
        this.options = options;
    }

    /**
     * Reads the options.
     *
     * @param folder the folder of one network, as "vae" of Stable Diffusion
     * @return the options
     * @throws IOException if there is no {@code config.json}, or it is none
     */
    public static DiffusersFolder open(Path folder) throws IOException {
        return open(folder, CONFIG);
    }

    /**
     * Reads the options of a scheduler: how noise grows, and how samples are drawn.
     *
     * @param folder the folder of the scheduler, as "scheduler" of Stable Diffusion
     * @return the options; there are no weights
     * @throws IOException if there is no {@code scheduler_config.json}, or it is none
     */
    public static DiffusersFolder openScheduler(Path folder) throws IOException {
        return open(folder, SCHEDULER);
    }

    private static DiffusersFolder open(Path folder, String file) throws IOException {
        AtomicFolder.finish(folder); // whose writing was killed between its two last steps
        Path path = folder.resolve(file);
        if (!Files.isRegularFile(path)) {
            throw new IOException(
                    folder
                            + " has no "
                            + file
                            + ": expected a folder of diffusers' save_pretrained");
        }
        return new DiffusersFolder(folder, file, JsonFile.read(path, "options", MOST_BYTES));
    }

    /**
     * Which class of diffusers wrote it.
     *
     * @return "AutoencoderKL" for instance
     * @throws IOException if the file does not say so
     */
    public String kind() throws IOException {
        return text("_class_name", "");
    }

    /**
     * Requires it to be written by one class of diffusers.
     *
     * @param kinds the classes that are supported, at least one
     * @return which of them it is
     * @throws IOException if it is another one
     */
    public String requireKind(String... kinds) throws IOException {
        String kind = kind();
        if (!List.of(kinds).contains(kind)) {
            throw new IOException(
                    path()
                            + ": _class_name must be "
                            + String.join(" or ", kinds)
                            + ", got "
                            + kind);
        }
        return kind;
    }

    /**
     * Whether an option is there and null, where that is not the same as being left out.
     *
     * @param name the option's name
     * @return whether it is null
     */
    public boolean isNull(String name) {
        JsonElement value = value(name);
        return value != null && value.isJsonNull();
    }

    /**
     * A whole number.
     *
     * @param name the option's name
     * @param otherwise what it is if it is left out
     * @return its value
     * @throws IOException if it is something else, null too
     */
    public int integer(String name, int otherwise) throws IOException {
        JsonElement value = value(name);
        return value == null ? otherwise : whole(name, value);
    }

    /**
     * A number.
     *
     * @param name the option's name
     * @param otherwise what it is if it is left out
     * @return its value, finite
     * @throws IOException if it is something else, null too
     */
    public double number(String name, double otherwise) throws IOException {
        JsonElement value = value(name);
        if (value == null) {
            return otherwise;
        }
        if (value instanceof JsonPrimitive p && p.isNumber() && Double.isFinite(p.getAsDouble())) {
            return p.getAsDouble();
        }
        throw wrong(name, "a number", value);
    }

    /**
     * A switch.
     *
     * @param name the option's name
     * @param otherwise what it is if it is left out
     * @return its value; null is false, as in Python
     * @throws IOException if it is something else
     */
    public boolean flag(String name, boolean otherwise) throws IOException {
        JsonElement value = value(name);
        if (value == null) {
            return otherwise;
        }
        if (value.isJsonNull()) {
            return false;
        }
        if (value instanceof JsonPrimitive p && p.isBoolean()) {
            return p.getAsBoolean();
        }
        throw wrong(name, "true or false", value);
    }

    /**
     * A text.
     *
     * @param name the option's name
     * @param otherwise what it is if it is left out
     * @return its value
     * @throws IOException if it is something else, null too
     */
    public String text(String name, String otherwise) throws IOException {
        JsonElement value = value(name);
        return value == null ? otherwise : string(name, value);
    }

    /**
     * One of two texts.
     *
     * @param name the option's name
     * @param no what it is if it is left out
     * @param yes what it may be instead
     * @return whether it is the second
     * @throws IOException if it is something else, null too
     */
    public boolean oneOf(String name, String no, String yes) throws IOException {
        String value = text(name, no);
        if (!value.equals(no) && !value.equals(yes)) {
            throw new IOException(
                    path() + ": " + name + " must be " + no + " or " + yes + ", got " + value);
        }
        return value.equals(yes);
    }

    /**
     * Whole numbers; a single one counts as a list of one.
     *
     * @param name the option's name
     * @param otherwise what they are if they are left out; where these are none, null is none too
     * @return their values
     * @throws IOException if it is something else
     */
    public List<Integer> integers(String name, List<Integer> otherwise) throws IOException {
        JsonElement value = value(name);
        if (value == null || (value.isJsonNull() && otherwise.isEmpty())) {
            return otherwise;
        }
        List<Integer> list = new ArrayList<>();
        for (JsonElement element : elements(value)) {
            list.add(whole(name, element));
        }
        return list;
    }

    /**
     * Texts.
     *
     * @param name the option's name
     * @param otherwise what they are if they are left out; where these are none, null is none too
     * @return their values
     * @throws IOException if it is something else
     */
    public List<String> texts(String name, List<String> otherwise) throws IOException {
        JsonElement value = value(name);
        if (value == null || (value.isJsonNull() && otherwise.isEmpty())) {
            return otherwise;
        }
        List<String> list = new ArrayList<>();
        for (JsonElement element : elements(value)) {
            list.add(string(name, element));
        }
        return list;
    }

    /**
     * Passes over options that change nothing of what is computed.
     *
     * @param names their names
     */
    public void passOver(String... names) {
        known.addAll(List.of(names));
    }

    /**
     * Requires an option to be left out, or the one value that is supported.
     *
     * @param name its name
     * @param supported that value, as JSON writes it: "1", "\"silu\""; null counts as false
     * @throws IOException if it has another value
     */
    public void require(String name, String supported) throws IOException {
        JsonElement value = value(name);
        if (value != null && !sameValue(value, JsonParser.parseString(supported))) {
            throw new IOException(
                    path()
                            + ": "
                            + name
                            + " must be "
                            + supported
                            + ", got "
                            + value
                            + ": other values are not supported");
        }
    }

    private static boolean sameValue(JsonElement value, JsonElement supported) {
        if (value instanceof JsonPrimitive a
                && supported instanceof JsonPrimitive b
                && a.isNumber()
                && b.isNumber()) {
            return a.getAsDouble() == b.getAsDouble();
        }
        return value.equals(supported) || (value.isJsonNull() && FALSE.equals(supported));
    }

    /**
     * Requires all options to be known by now, but for those that are null or false.
     *
     * @throws IOException if some are not; it names them
     */
    public void refuseOthers() throws IOException {
        Set<String> others = new TreeSet<>();
        options.asMap()
                .forEach(
                        (name, value) -> {
                            boolean off = value.isJsonNull() || FALSE.equals(value);
                            if (!off && !known.contains(name)) {
                                others.add(name);
                            }
                        });
        if (!others.isEmpty()) {
            throw new IOException(path() + ": options that are not supported: " + others);
        }
    }

    /**
     * Reads the weights, of one file or of several that an index names.
     *
     * @return the arrays, by today's names
     * @throws IOException if there are none, or they cannot be read
     */
    public StateDict weights() throws IOException {
        return DiffusersWeights.read(DiffusersWeights.in(folder));
    }

    /**
     * Initialises a block and gives it the weights. Where that fails nothing is left in the
     * manager, and where the weights cannot be those of so large a block no memory is asked for.
     *
     * @param block made as the options say, and not initialised
     * @param names from the file's names to the block's
     * @param manager the owner of the parameters, which are float32
     * @param inputs the shapes of what goes in
     * @throws IOException as {@link #loadInto(Block, NameMap)}
     */
    public void loadInto(Block block, NameMap names, NDManager manager, Shape... inputs)
            throws IOException {
        Path path = DiffusersWeights.in(folder);
        long numbers =
                block.getParameters().values().stream()
                        .map(Parameter::getShape)
                        .filter(Objects::nonNull)
                        .mapToLong(Shape::size)
                        .sum();
        long bytes = DiffusersWeights.bytes(path);
        if (numbers > bytes) {
            throw new IOException(
                    path
                            + ": not the weights of these options, which have "
                            + numbers
                            + " numbers, got "
                            + bytes
                            + " bytes");
        }
        boolean done = false;
        try {
            block.initialize(manager, DataType.FLOAT32, inputs);
            loadInto(block, names);
            done = true;
        } finally {
            if (!done) {
                ParameterArray.closeAll(block);
            }
        }
    }

    /**
     * Gives a block the weights.
     *
     * @param block an initialized block, made as the options say
     * @param names from the file's names to the block's
     * @throws IOException if there are none, they cannot be read, or they are not those of such a
     *     block; the message names all that is missing, left over or of another shape
     */
    public void loadInto(Block block, NameMap names) throws IOException {
        Path path = DiffusersWeights.in(folder);
        try (StateDict theirs = DiffusersWeights.read(path);
                StateDict ours = names.apply(theirs)) {
            ours.loadInto(block);
        } catch (IllegalArgumentException e) {
            throw new IOException(path + ": " + e.getMessage(), e);
        }
    }

    /** Null if it is left out; where the file says null, that of JSON. */
    private @Nullable JsonElement value(String name) {
        known.add(name);
        return options.get(name);
    }

    private static List<JsonElement> elements(JsonElement value) {
        return value instanceof JsonArray array ? array.asList() : List.of(value);
    }

    private int whole(String name, JsonElement value) throws IOException {
        if (value instanceof JsonPrimitive p && p.isNumber()) {
            double number = p.getAsDouble();
            if (number == Math.rint(number) && Math.abs(number) <= Integer.MAX_VALUE) {
                return (int) number;
            }
        }
        throw wrong(name, "a whole number", value);
    }

    private String string(String name, JsonElement value) throws IOException {
        if (value instanceof JsonPrimitive p && p.isString()) {
            return p.getAsString();
        }
        throw wrong(name, "a text", value);
    }

    private IOException wrong(String name, String expected, JsonElement got) {
        return new IOException(path() + ": " + name + " must be " + expected + ", got " + got);
    }

    /**
     * Where the options are, for errors.
     *
     * @return the path of {@code config.json} or {@code scheduler_config.json}
     */
    public Path path() {
        return folder.resolve(file);
    }
}
