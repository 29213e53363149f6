package org.slotwise.examples.spark;

import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.slotwise.image.DiscoveredObject;
import org.slotwise.image.ObjectList;
import org.slotwise.image.PixelBox;
import org.slotwise.image.RunLengthEncoding;

/**
 * What was found in pictures, a row for each. An object's mask is in COCO's compressed form, so
 * that {@code pycocotools} reads it as it is; a bad picture has an error and nothing else.
 */
final class DiscoveredRows {

    private static final StructType BOX =
            new StructType()
                    .add("x", DataTypes.IntegerType)
                    .add("y", DataTypes.IntegerType)
                    .add("width", DataTypes.IntegerType)
                    .add("height", DataTypes.IntegerType);

    private static final StructType MASK =
            new StructType()
                    .add("size", DataTypes.createArrayType(DataTypes.IntegerType, false))
                    .add("counts", DataTypes.StringType);

    private static final StructType OBJECT =
            new StructType()
                    .add("slot", DataTypes.IntegerType)
                    .add("score", DataTypes.DoubleType)
                    .add("area", DataTypes.IntegerType)
                    .add("box", BOX)
                    .add("mask", MASK)
                    .add("vector", DataTypes.createArrayType(DataTypes.FloatType, false));

    static final StructType SCHEMA =
            new StructType()
                    .add("path", DataTypes.StringType)
                    .add("width", DataTypes.IntegerType)
                    .add("height", DataTypes.IntegerType)
                    .add("error", DataTypes.StringType)
                    .add("objects", DataTypes.createArrayType(OBJECT, false));

    private DiscoveredRows() {}

    static Row of(String path, ObjectList found) {
        Row[] objects = found.objects().stream().map(DiscoveredRows::object).toArray(Row[]::new);
        return RowFactory.create(path, found.width(), found.height(), null, objects);
    }

    static Row failed(String path, String error) {
        return RowFactory.create(path, null, null, error, null);
    }

    private static Row object(DiscoveredObject object) {
        PixelBox box = object.box();
        RunLengthEncoding runs = RunLengthEncoding.of(object.mask());
        return RowFactory.create(
                object.slot(),
                object.score(),
                object.area(),
                RowFactory.create(box.x(), box.y(), box.width(), box.height()),
                RowFactory.create(new int[] {runs.height(), runs.width()}, runs.compressed()),
                object.vector());
    }
}
