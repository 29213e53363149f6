package org.slotwise.examples.minimal;

import ai.djl.Model;
import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.DefaultTrainingConfig;
import ai.djl.training.GradientCollector;
import ai.djl.training.Trainer;
import ai.djl.training.dataset.ArrayDataset;
import ai.djl.training.dataset.Batch;
import ai.djl.training.loss.IndexLoss;
import ai.djl.training.optimizer.Adam;
import ai.djl.training.tracker.Tracker;
import ai.djl.translate.TranslateException;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.slotwise.examples.shared.HelpOption;
import org.slotwise.examples.shared.Program;
import org.slotwise.loss.ReconstructionLoss;
import org.slotwise.metric.AdjustedRandIndex;
import org.slotwise.metric.Background;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Trains a model around Slot Attention with DJL's trainer, on sets of vectors made in memory. */
@Command(
        name = "TrainSlotAttention",
        header = {
            "The smallest training with DJL's Trainer: Slot Attention on sets of vectors.",
            ""
        },
        description = {
            "Trains Slot Attention to describe sets of clustered vectors by a few slots. Prints the"
                    + " loss and how well the slots agree with the clusters (adjusted Rand index,"
                    + " 1 at best).",
            ""
        },
        sortOptions = false,
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {"0:The model was trained.", "1:Something failed.", "2:An option is wrong."})
public final class TrainSlotAttention implements Callable<Integer> {

    private static final int MAX_EPOCHS = 1_000_000;
    private static final int SETS = 512;
    private static final int BATCH = 32;
    private static final int CLUSTERS = 4;
    private static final int VECTORS = 12; // of each cluster
    private static final int FEATURE_DIM = 8;
    private static final int SLOTS = 6;
    private static final int SLOT_DIM = 32;
    private static final float SPREAD = 0.1f; // within a cluster, where centres have 1
    private static final float LEARNING_RATE = 4e-3f;

    @Option(
            names = "--epochs",
            defaultValue = "10",
            paramLabel = "NUMBER",
            description =
                    "How often each set is seen, 1 to "
                            + MAX_EPOCHS
                            + ". Default: ${DEFAULT-VALUE}.")
    private int epochs;

    @Option(
            names = "--seed",
            defaultValue = "0",
            paramLabel = "NUMBER",
            description = "What random choices start from. Default: ${DEFAULT-VALUE}.")
    private int seed;

    @Mixin private HelpOption help;

    @Spec private CommandSpec spec;

    /**
     * Runs the program and ends the process with its exit code.
     *
     * @param args the options; {@code --help} lists them
     */
    public static void main(String[] args) {
        Program.main(new TrainSlotAttention(), args);
    }

    @Override
    public Integer call() throws IOException, TranslateException {
        Program.requireRange(spec, "--epochs", epochs, 1, MAX_EPOCHS);
        PrintWriter out = spec.commandLine().getOut();
        out.printf(
                "%d sets of %d vectors, in %d clusters each; %d slots%n",
                SETS, CLUSTERS * VECTORS, CLUSTERS, SLOTS);
        long start = System.nanoTime();
        train(out);
        out.printf(Locale.ROOT, "%.1f s%n", (System.nanoTime() - start) / 1e9);
        return ExitCode.OK;
    }

    private void train(PrintWriter out) throws IOException, TranslateException {
        Engine.getInstance().setRandomSeed(seed);
        DefaultTrainingConfig config =
                new DefaultTrainingConfig(new IndexLoss(new ReconstructionLoss(), 0))
                        .optOptimizer(
                                Adam.builder()
                                        .optLearningRateTracker(Tracker.fixed(LEARNING_RATE))
                                        .build());
        try (Model model = Model.newInstance("set-autoencoder")) {
            model.setBlock(new SetAutoencoder(FEATURE_DIM, SLOTS, SLOT_DIM));
            try (Trainer trainer = model.newTrainer(config);
                    NDManager data = trainer.getManager().newSubManager()) {
                ArrayDataset sets = sets(data);
                trainer.initialize(new Shape(BATCH, CLUSTERS * VECTORS, FEATURE_DIM));
                for (int epoch = 1; epoch <= epochs; epoch++) {
                    out.printf(Locale.ROOT, "epoch %2d  %s%n", epoch, epoch(trainer, sets));
                    out.flush();
                }
            }
        }
    }

    /** Means over the batches of an epoch. */
    private record Scores(double loss, double ari) {
        @Override
        public String toString() {
            return String.format(Locale.ROOT, "loss %.4f  ARI %.3f", loss, ari);
        }
    }

    private static Scores epoch(Trainer trainer, ArrayDataset sets)
            throws IOException, TranslateException {
        AdjustedRandIndex ari = new AdjustedRandIndex(Background.COUNTED);
        double losses = 0;
        double aris = 0;
        int batches = 0;
        for (Batch batch : trainer.iterateDataset(sets)) {
            try (batch) {
                NDList predictions; // as the model gives them: vectors and attention
                NDArray loss;
                try (GradientCollector collector = trainer.newGradientCollector()) {
                    predictions = trainer.forward(batch.getData());
                    loss = trainer.getLoss().evaluate(batch.getLabels(), predictions);
                    collector.backward(loss);
                }
                trainer.step();
                losses += loss.getFloat();
                NDArray clusters = batch.getLabels().get(1);
                aris += ari.score(clusters, predictions.get(1)).mean().getDouble();
                batches++;
            }
        }
        return new Scores(losses / batches, aris / batches);
    }

    /**
     * Sets of vectors (M, N, F) around a few centres, which are others in each set. The labels are
     * the vectors themselves, and the number of each one's cluster (M, N).
     */
    private static ArrayDataset sets(NDManager manager) {
        NDArray centres = manager.randomNormal(new Shape(SETS, CLUSTERS, 1, FEATURE_DIM));
        NDArray noise =
                manager.randomNormal(new Shape(SETS, CLUSTERS, VECTORS, FEATURE_DIM)).mul(SPREAD);
        NDArray vectors = centres.add(noise).reshape(SETS, CLUSTERS * VECTORS, FEATURE_DIM);
        NDArray clusters = manager.arange(CLUSTERS).repeat(VECTORS).expandDims(0).repeat(0, SETS);
        return new ArrayDataset.Builder()
                .setData(vectors)
                .optLabels(vectors, clusters)
                .setSampling(BATCH, true)
                .build();
    }
}
