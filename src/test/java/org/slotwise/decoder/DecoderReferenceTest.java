package org.slotwise.decoder;

import ai.djl.ndarray.NDManager;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.slotwise.testing.AgainstReference;
import org.slotwise.testing.OnDevice;
import org.slotwise.testing.ReferenceCase;

/** Values and gradients of the decoders beside those of the same layers in PyTorch. */
@ExtendWith(OnDevice.class)
class DecoderReferenceTest {

    static Stream<ReferenceCase> spatialBroadcast() {
        return ReferenceCase.of("decoder", "SpatialBroadcastDecoder");
    }

    static Stream<ReferenceCase> patches() {
        return ReferenceCase.of("decoder", "ImagePatchDecoder");
    }

    @ParameterizedTest
    @MethodSource("spatialBroadcast")
    void spatialBroadcast(ReferenceCase reference, NDManager manager) {
        List<BroadcastArchitecture.Layer> layers = new ArrayList<>();
        for (JsonElement element : reference.option("layers").getAsJsonArray()) {
            JsonObject layer = element.getAsJsonObject();
            layers.add(
                    new BroadcastArchitecture.Layer(
                            layer.get("transposed").getAsBoolean(),
                            layer.get("channels").getAsInt(),
                            layer.get("kernel").getAsInt(),
                            layer.get("stride").getAsInt()));
        }
        check(
                manager,
                reference,
                SpatialBroadcastDecoder.builder()
                        .setSlotDim(reference.integer("slot_dim"))
                        .setArchitecture(
                                new BroadcastArchitecture(
                                        reference.integer("height"),
                                        reference.integer("width"),
                                        layers))
                        .build());
    }

    @ParameterizedTest
    @MethodSource("patches")
    void patches(ReferenceCase reference, NDManager manager) {
        check(
                manager,
                reference,
                ImagePatchDecoder.builder()
                        .setSlotDim(reference.integer("slot_dim"))
                        .setImageSize(reference.integer("height"), reference.integer("width"))
                        .setPatchSize(reference.integer("patch_size"))
                        .optHidden(reference.integer("hidden"))
                        .optHiddenLayers(reference.integer("hidden_layers"))
                        .optFrequencies(reference.integer("frequencies"))
                        .build());
    }

    private static void check(NDManager manager, ReferenceCase reference, SlotDecoder decoder) {
        AgainstReference.check(
                manager,
                reference,
                decoder,
                (store, in) -> {
                    SlotDecoding out = decoder.decode(store, in.get("slots"), true);
                    return Map.of(
                            "reconstruction",
                            out.reconstruction(),
                            "slot_images",
                            out.slotImages(),
                            "masks",
                            out.masks());
                });
    }
}
