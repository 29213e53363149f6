package org.slotwise.model;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import java.util.LinkedHashMap;
import java.util.Map;
import org.slotwise.encoder.FeatureExtractor;
import org.slotwise.encoder.PretrainedBackbone;
import org.slotwise.grouping.FeatureExtractorOutput;
import org.slotwise.internal.ConfiguredBlock;
import org.slotwise.internal.Inputs;
import org.slotwise.internal.Options;
import org.slotwise.layer.LayerNorm;
import org.slotwise.layer.Perceptron;

/**
 * Features of a network, each through layer normalisation and a perceptron: what DINOSAUR does
 * before its grouping. The network's own features go along as {@link ImageEncoder#UNPROJECTED}.
 */
final class ProjectedExtractor extends ConfiguredBlock implements FeatureExtractor, AutoCloseable {

    private final PretrainedBackbone backbone;
    private final int hidden;
    private final int featureDim;
    private final LayerNorm norm;
    private final Perceptron perceptron;

    ProjectedExtractor(PretrainedBackbone backbone, int hidden, int featureDim) {
        this.backbone = addChildBlock("backbone", backbone);
        this.hidden = hidden;
        this.featureDim = featureDim;
        int dim = backbone.featureDim();
        norm = LayerNorm.of(declarer().under("norm"), dim);
        perceptron = Perceptron.of(declarer().under("mlp"), dim, hidden, 1, featureDim);
    }

    @Override
    public FeatureExtractorOutput extract(
            ParameterStore parameterStore, NDArray images, boolean training) {
        FeatureExtractorOutput raw = backbone.extract(parameterStore, images, training);
        NDArray x = raw.features();
        NDArray projected =
                compute(
                                parameterStore,
                                x,
                                training,
                                pass -> new NDList(perceptron.apply(pass, norm.apply(pass, x))))
                        .head();
        Map<String, NDArray> aux = new LinkedHashMap<>(raw.auxFeatures());
        aux.put(ImageEncoder.UNPROJECTED, x);
        return new FeatureExtractorOutput(projected, raw.positions(), aux);
    }

    @Override
    public int featureDim() {
        return featureDim;
    }

    /** The size of the network's own features. */
    int unprojectedDim() {
        return backbone.featureDim();
    }

    @Override
    protected NDList outputs(ParameterStore parameterStore, NDList inputs, boolean training) {
        return extract(parameterStore, Inputs.only(who(), "images", inputs), training).toNDList();
    }

    @Override
    protected Shape[] outputShapes(Shape[] inputShapes) {
        Shape[] shapes = backbone.getOutputShapes(new Shape[] {inputShapes[0]}).clone();
        shapes[0] = new Shape(shapes[0].get(0), shapes[0].get(1), featureDim);
        return new Shape[] {shapes[0], shapes[1]};
    }

    @Override
    protected void initializeChildBlocks(
            NDManager manager, DataType dataType, Shape... inputShapes) {
        backbone.initialize(manager, dataType, inputShapes);
    }

    @Override
    protected Options configuration() {
        return Options.of("hidden", hidden).and("featureDim", featureDim);
    }

    @Override
    public void close() {
        backbone.close();
    }
}
