package org.slotwise.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.google.gson.JsonPrimitive;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.slotwise.data.PictureFit;
import org.slotwise.diffusion.Prediction;

class ObjectDiscoveryConfigurationTest {

    private static void refused(String message, String json) {
        IllegalArgumentException e =
                assertThrows(
                        IllegalArgumentException.class,
                        () -> ObjectDiscoveryConfiguration.fromJson(json));
        assertEquals("ObjectDiscoveryConfiguration: " + message, e.getMessage());
    }

    private static String changed(Consumer<JsonObject> change) {
        JsonObject json = JsonParser.parseString(SmallModels.random().toJson()).getAsJsonObject();
        change.accept(json);
        return json.toString();
    }

    private static Consumer<JsonObject> in(String part, Consumer<JsonObject> change) {
        return json -> change.accept(json.getAsJsonObject(part));
    }

    @Test
    void comesBackAsItWas() {
        List<ObjectDiscoveryConfiguration> all = new ArrayList<>(SmallModels.list());
        Presets.names().forEach(name -> all.add(Presets.named(name).configuration()));
        for (ObjectDiscoveryConfiguration c : all) {
            assertEquals(c, ObjectDiscoveryConfiguration.fromJson(c.toJson()));
        }
    }

    /** Mixtures that were saved before they could start by themselves have no seed for it. */
    @Test
    void readsAMixtureWithoutItsSeed() {
        ObjectDiscoveryConfiguration c = SmallModels.all().get("mixture");
        JsonObject json = JsonParser.parseString(c.toJson()).getAsJsonObject();
        JsonElement seed = json.getAsJsonObject("grouping").remove("inferenceSeed");
        assertEquals(JsonNull.INSTANCE, seed);
        assertEquals(c, ObjectDiscoveryConfiguration.fromJson(json.toString()));
    }

    /** Models that were saved before there was a choice saw pictures whole. */
    @Test
    void readsWhatHasNoFit() {
        ObjectDiscoveryConfiguration c = SmallModels.settled();
        assertEquals(PictureFit.SQUEEZE, c.fit());
        assertEquals(
                ObjectDiscoveryConfiguration.fromJson(changed(json -> {})),
                ObjectDiscoveryConfiguration.fromJson(changed(json -> json.remove("fit"))));
        LatentSlotDiffusionConfiguration inside =
                SmallModels.diffusion(new LatentsConfiguration.Patches(2), 12, Prediction.VELOCITY);
        assertEquals(
                inside,
                LatentSlotDiffusionConfiguration.fromJson(
                        inside.toJson().replaceFirst("\"fit\": \"squeeze\",\\s*", "")));
        ObjectDiscoveryConfiguration cropped = c.withFit(PictureFit.CROP);
        assertTrue(cropped.toJson().contains("\"fit\": \"crop\""), cropped.toJson());
        assertEquals(cropped, ObjectDiscoveryConfiguration.fromJson(cropped.toJson()));
        assertEquals(cropped, cropped.withSlots(5).withSlots(4).withEncoder(c.encoder()));
        refused(
                "fit must be one of [crop, squeeze], got \"pad\"",
                changed(json -> json.addProperty("fit", "pad")));
    }

    @Test
    void namesTheFieldThatIsWrong() {
        refused("slots is missing", changed(json -> json.remove("slots")));
        refused(
                "grouping.iterations must be a whole number, got \"3\"",
                changed(in("grouping", g -> g.addProperty("iterations", "3"))));
        refused(
                "grouping.iterations must be a whole number, got 2.5",
                changed(in("grouping", g -> g.addProperty("iterations", 2.5))));
        refused(
                "grouping.iterations must be a whole number, got 3000000000",
                changed(in("grouping", g -> g.addProperty("iterations", 3_000_000_000L))));
        refused(
                "grouping.eps must not be null",
                changed(in("grouping", g -> g.add("eps", JsonNull.INSTANCE))));
        refused(
                "encoder.perceptron.norm must be true or false, got 1",
                changed(
                        in(
                                "encoder",
                                e -> e.getAsJsonObject("perceptron").addProperty("norm", 1))));
        refused(
                "encoder.perceptron.positions must be one of [added, joined], got \"ADDED\"",
                changed(
                        in(
                                "encoder",
                                e ->
                                        e.getAsJsonObject("perceptron")
                                                .addProperty("positions", "ADDED"))));
        refused(
                "encoder.channels[1] must be a whole number, got \"4\"",
                changed(
                        in(
                                "encoder",
                                e -> e.getAsJsonArray("channels").set(1, new JsonPrimitive("4")))));
        refused(
                "decoder.architecture.layers[0].stride is missing",
                changed(
                        in(
                                "decoder",
                                d ->
                                        d.getAsJsonObject("architecture")
                                                .getAsJsonArray("layers")
                                                .get(0)
                                                .getAsJsonObject()
                                                .remove("stride"))));
        refused(
                "conditioning.quasirandom is unknown: there are [learnMean, learnDeviation,"
                        + " quasiRandom, inferenceSeed]",
                changed(in("conditioning", c -> c.addProperty("quasirandom", true))));
        refused(
                "decoder.kind must be one of [spatial_broadcast, image_patch, shape_and_colour,"
                        + " features, autoregressive, appearance, attended_colour, attended_ramp], got transformer",
                changed(in("decoder", d -> d.addProperty("kind", "transformer"))));
        refused("decoder.kind is missing", changed(in("decoder", d -> d.remove("kind"))));
        refused(
                "encoder must be an object, got []",
                changed(j -> j.add("encoder", new JsonArray())));
    }

    @Test
    void refusesOtherFormatsAndNewerVersions() {
        refused(
                "it is of version 2, and this library reads up to version 1: use a newer one",
                changed(json -> json.addProperty("version", 2)));
        refused("version is missing", changed(json -> json.remove("version")));
        refused(
                "format must be \"slotwise-object-discovery\", got \"other\"",
                changed(json -> json.addProperty("format", "other")));
        refused("format must be \"slotwise-object-discovery\", got null", "{}");
        refused(
                "it must be an object, got 3"
                        .replace("it must be", "expected")
                        .replace(", got 3", ""),
                "3");
    }

    @Test
    void refusesWhatIsNoJson() {
        String json = SmallModels.random().toJson();
        for (String bad :
                List.of("", "{", json.substring(0, json.length() / 2), json + "x", "{'a':1}")) {
            IllegalArgumentException e =
                    assertThrows(
                            IllegalArgumentException.class,
                            () -> ObjectDiscoveryConfiguration.fromJson(bad),
                            bad);
            assertTrue(e.getMessage().startsWith("ObjectDiscoveryConfiguration: "), bad);
        }
        refused("slots is there twice", json.replaceFirst("\\{", "{\"slots\": 3, "));
        String deep = "[".repeat(5000) + "]".repeat(5000);
        assertThrows(
                IllegalArgumentException.class, () -> ObjectDiscoveryConfiguration.fromJson(deep));
        refused(
                "slots must be a whole number, got 1E+999999999",
                json.replace("\"slots\": 4", "\"slots\": 1e999999999"));
    }

    @Test
    void refusesPartsThatDoNotGoTogether() {
        JsonObject kMeans =
                JsonParser.parseString(
                                SmallModels.all().get("k-means, feature perceptron").toJson())
                        .getAsJsonObject();
        JsonElement none = kMeans.get("conditioning");
        refused(
                "conditioning must not be None for SlotAttention, got None",
                changed(json -> json.add("conditioning", none)));
        JsonElement features = kMeans.get("decoder");
        refused(
                "decoder must make images where the encoder is learnt (features that are made again"
                        + " would shrink to one), got Features",
                changed(json -> json.add("decoder", features)));
        JsonElement grid =
                JsonParser.parseString(SmallModels.all().get("grid, shape and colour").toJson())
                        .getAsJsonObject()
                        .get("conditioning");
        refused(
                "grouping must be InvariantSlotAttention for Grid, got SlotAttention",
                changed(json -> json.add("conditioning", grid)));
    }

    @Test
    void refusesSizesThatDoNotFit() {
        ObjectDiscoveryConfiguration c =
                ObjectDiscoveryConfiguration.fromJson(
                        changed(json -> json.addProperty("imageWidth", 12)));
        IllegalArgumentException e =
                assertThrows(IllegalArgumentException.class, () -> new ObjectDiscovery(c));
        assertEquals(
                "DecoderConfiguration: the decoder must make images of 8 by 12, it makes 8 by 8",
                e.getMessage());
    }
}
