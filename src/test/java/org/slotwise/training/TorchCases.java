package org.slotwise.training;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.stream.Stream;
import org.slotwise.internal.Scalars;

/** What PyTorch computed: see {@code resources/training/make_adam.py}. */
record TorchCases(JsonObject json) {

    static Stream<TorchCases> of(String kind) {
        try (InputStream in = TorchCases.class.getResourceAsStream("/training/adam.json")) {
            return JsonParser.parseReader(new InputStreamReader(in, StandardCharsets.UTF_8))
                    .getAsJsonObject()
                    .getAsJsonArray(kind)
                    .asList()
                    .stream()
                    .map(JsonElement::getAsJsonObject)
                    .map(TorchCases::new);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static double[] doubles(JsonElement array) {
        return array.getAsJsonArray().asList().stream()
                .mapToDouble(JsonElement::getAsDouble)
                .toArray();
    }

    static long[] longs(JsonElement array) {
        return array.getAsJsonArray().asList().stream().mapToLong(JsonElement::getAsLong).toArray();
    }

    /** Numbers as an array in memory of the engine's own. */
    static NDArray array(NDManager manager, JsonElement numbers, DataType type, long... shape) {
        return Scalars.of(manager, manager.getDevice(), doubles(numbers), new Shape(shape), type);
    }

    DataType type() {
        return DataType.valueOf(json.get("dtype").getAsString().toUpperCase(Locale.ROOT));
    }

    JsonArray list(String name) {
        return json.getAsJsonArray(name);
    }

    double option(String name, double otherwise) {
        JsonElement value = json.getAsJsonObject("options").get(name);
        return value == null ? otherwise : value.getAsDouble();
    }

    double beta(int index, double otherwise) {
        JsonElement betas = json.getAsJsonObject("options").get("betas");
        return betas == null ? otherwise : doubles(betas)[index];
    }

    @Override
    public String toString() {
        return json.get("name").getAsString();
    }
}
