package org.slotwise.encoder;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import com.google.gson.JsonObject;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.slotwise.grouping.FeatureExtractorOutput;
import org.slotwise.testing.AgainstReference;
import org.slotwise.testing.OnDevice;
import org.slotwise.testing.ReferenceCase;

/** Values and gradients of the encoders beside those of the same layers in PyTorch. */
@ExtendWith(OnDevice.class)
class EncoderReferenceTest {

    static Stream<ReferenceCase> convolutional() {
        return ReferenceCase.of("encoder", "ConvolutionalEncoder");
    }

    static Stream<ReferenceCase> slotAttention() {
        return ReferenceCase.of("encoder", "SlotAttentionEncoder");
    }

    static Stream<ReferenceCase> resNet() {
        return ReferenceCase.of("encoder", "ResNetEncoder");
    }

    @ParameterizedTest
    @MethodSource("convolutional")
    void convolutional(ReferenceCase reference, NDManager manager) {
        check(
                manager,
                reference,
                ConvolutionalEncoder.builder()
                        .optChannels(reference.integers("channels"))
                        .optStrides(reference.integers("strides"))
                        .optKernelSize(reference.integer("kernel_size"))
                        .build());
    }

    @ParameterizedTest
    @MethodSource("slotAttention")
    void slotAttention(ReferenceCase reference, NDManager manager) {
        JsonObject backbone = reference.option("backbone").getAsJsonObject();
        check(
                manager,
                reference,
                SlotAttentionEncoder.builder()
                        .setBackbone(
                                ConvolutionalEncoder.builder()
                                        .optChannels(integers(backbone, "channels"))
                                        .optStrides(integers(backbone, "strides"))
                                        .optKernelSize(backbone.get("kernel_size").getAsInt())
                                        .build())
                        .optHidden(reference.integer("hidden"))
                        .optFeatureDim(reference.integer("feature_dim"))
                        .build());
    }

    private static int[] integers(JsonObject object, String name) {
        return object.getAsJsonArray(name).asList().stream()
                .mapToInt(element -> element.getAsInt())
                .toArray();
    }

    @ParameterizedTest
    @MethodSource("resNet")
    void resNet(ReferenceCase reference, NDManager manager) {
        check(
                manager,
                reference,
                ResNetEncoder.builder()
                        .setArchitecture(
                                new ResNetArchitecture(
                                        reference.flag("bottleneck"),
                                        reference.integer("width"),
                                        Arrays.stream(reference.integers("blocks"))
                                                .boxed()
                                                .toList()))
                        .optStages(reference.integer("stages"))
                        .optFixedStatistics(reference.flag("fixed_statistics"))
                        .build());
    }

    static Stream<ReferenceCase> visionTransformer() {
        return ReferenceCase.of("encoder", "VisionTransformer");
    }

    /** timm's. */
    @ParameterizedTest
    @MethodSource("visionTransformer")
    void visionTransformer(ReferenceCase reference, NDManager manager) {
        check(
                manager,
                reference,
                VisionTransformer.builder()
                        .setArchitecture(
                                new VisionTransformerArchitecture(
                                        reference.integer("height"),
                                        reference.integer("width"),
                                        reference.integer("patch"),
                                        reference.integer("dim"),
                                        reference.integer("depth"),
                                        reference.integer("heads"),
                                        reference.integer("hidden"),
                                        reference.integer("registers"),
                                        reference.flag("classPlace"),
                                        reference.flag("layerScale")))
                        .optLastNorm(reference.flag("lastNorm"))
                        .build());
    }

    private static void check(
            NDManager manager, ReferenceCase reference, FeatureExtractor encoder) {
        AgainstReference.check(
                manager,
                reference,
                encoder,
                (store, in) -> {
                    FeatureExtractorOutput out = encoder.extract(store, in.get("images"), true);
                    Map<String, NDArray> outputs = new LinkedHashMap<>();
                    outputs.put("features", out.features());
                    outputs.put("positions", out.positions());
                    ReferenceCase.under("out/after/", reference.arrays(manager))
                            .keySet()
                            .forEach(name -> outputs.put("after/" + name, state(encoder, name)));
                    return outputs;
                });
    }

    private static NDArray state(FeatureExtractor encoder, String name) {
        return ReferenceCase.parameters(encoder).get(name);
    }
}
