"""Write kerasviz/models/allow_lists.json: the names that a model file may use.

    python scripts/make_allow_lists.py

Run it with the newest Keras, tf-keras and TensorFlow that are supported, and read the difference
before it is committed: each new name is a door that files of strangers may open.
"""

import importlib
import inspect
import json
import os
import re
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import tensorflow as tf
import tf_keras
from keras.src.ops.operation import Operation
from tensorflow.core.framework import op_def_pb2, types_pb2
from tensorflow.python.client import pywrap_tf_session
from tensorflow.python.util import tf_export

TARGET = Path(__file__).parents[1] / "kerasviz" / "models" / "allow_lists.json"
OBJECT_SPACES = ("layers", "initializers", "regularizers", "constraints", "dtype_policies", "quantizers")
TRAINING_SPACES = ("optimizers", "optimizers.legacy", "optimizers.schedules", "losses", "metrics")


def words(text):
    """The names in a text."""
    return text.split()


# Layers that run code, read files or call what a file names; and bases that are no objects themselves.
REFUSED_CLASSES = words("""
    Lambda TFSMLayer TorchModuleWrapper FlaxLayer JaxLayer NNXLayer Pipeline DenseFeatures StringLookup
    IntegerLookup TextVectorization MelSpectrogram STFTSpectrogram PeepholeLSTMCell Layer Wrapper Initializer
    Regularizer Constraint Optimizer Loss Metric Quantizer InputSpec
""")
MODEL_CLASSES = words("""
    Functional Sequential Model InputLayer LayerScale Policy PolicyV1 BatchNormalizationV1 SyncBatchNormalization
    TFOpLambda SlicingOpLambda TensorFlowOpLayer
""")
# Map, Scan, WhileLoop, Cond and the like take functions, and are left out.
CORE_OPERATIONS = words("""
    Cast Shape Slice SliceUpdate ScatterUpdate Scatter DynamicUpdateSlice StopGradient Unstack SaturateCast
    ConvertToTensor
""")

ARITHMETIC = words("""
    abs acos acosh add add_n angle asin asinh atan atan2 atanh ceil conj cos cosh cumprod cumsum
    cumulative_logsumexp digamma div div_no_nan divide divide_no_nan equal erf erfinv exp expm1 floor floordiv
    floormod greater greater_equal is_finite is_inf is_nan less less_equal lgamma log log1p log_sigmoid logical_and
    logical_not logical_or logical_xor maximum minimum mod multiply multiply_no_nan negative not_equal pow
    reciprocal rint round rsqrt scalar_mul sigmoid sign sin sinh softplus softsign sqrt square squared_difference
    subtract tan tanh truediv truncatediv xlogy
""")
REDUCTIONS = words("""
    argmax argmin argsort bincount clip_by_norm clip_by_value in_top_k l2_normalize norm normalize reduce_all
    reduce_any reduce_euclidean_norm reduce_logsumexp reduce_max reduce_mean reduce_min reduce_prod reduce_std
    reduce_sum reduce_variance softmax log_softmax sort top_k trace
""")
SHAPES = words("""
    band_part batch_to_space boolean_mask broadcast_to cast concat depth_to_space diag diag_part dynamic_partition
    einsum expand_dims fill gather gather_nd identity linspace matmul matrix_transpose matvec meshgrid one_hot ones
    ones_like pad range rank repeat reshape reverse roll saturate_cast shape size slice space_to_batch
    space_to_depth split squeeze stack stop_gradient strided_slice tensordot tile to_float to_int32 transpose
    unstack where zeros zeros_like
""")
NETWORKS = words("""
    atrous_conv2d avg_pool avg_pool1d avg_pool2d avg_pool3d batch_normalization bias_add conv1d conv2d
    conv2d_transpose conv3d conv_transpose convolution crelu depth_to_space depthwise_conv2d depthwise_conv2d_native
    dilation2d dropout elu erosion2d gelu l2_normalize leaky_relu local_response_normalization log_softmax lrn
    max_pool max_pool1d max_pool2d max_pool3d max_pool_with_argmax moments normalize_moments pool relu relu6 selu
    separable_conv2d sigmoid silu softmax softplus softsign space_to_depth sufficient_statistics swish tanh top_k
    weighted_moments zero_fraction
""")
PICTURES = words("""
    adjust_brightness adjust_contrast adjust_gamma adjust_hue adjust_saturation central_crop convert_image_dtype
    crop_and_resize crop_to_bounding_box extract_image_patches extract_patches flip_left_right flip_up_down
    grayscale_to_rgb hsv_to_rgb image_gradients pad_to_bounding_box per_image_standardization resize resize_area
    resize_bicubic resize_bilinear resize_images resize_nearest_neighbor resize_with_crop_or_pad resize_with_pad
    rgb_to_grayscale rgb_to_hsv rgb_to_yiq rgb_to_yuv rot90 sobel_edges total_variation transpose yiq_to_rgb
    yuv_to_rgb
""")
OPERATORS = words("""
    abs add and div eq floordiv ge getitem gt invert le lt matmul mod mul ne neg or pow radd rmul rsub rtruediv sub
    truediv xor
""")
BACKEND = words("""
    abs all any arange argmax argmin batch_dot bias_add cast clip concatenate constant conv1d conv2d
    conv2d_transpose cos cumprod cumsum depthwise_conv2d dot elu equal exp expand_dims flatten greater greater_equal
    hard_sigmoid identity int_shape l2_normalize less less_equal log max maximum mean min minimum ndim not_equal
    one_hot ones_like permute_dimensions pool2d pow prod relu repeat_elements reshape resize_images reverse round
    shape sigmoid sign sin softmax softplus softsign spatial_2d_padding sqrt square squeeze stack std stop_gradient
    sum tanh temporal_padding tile transpose var zeros_like
""")

# Text attributes that choose between ways of computing, and lead nowhere.
HARMLESS_TEXT = words("""
    padding data_format mode method equation src_format dst_format activation_mode direction align round_mode
    kernel_type bad_indices_policy interpolation fill_mode
""")
UNWANTED = re.compile(
    r"_|Xla|TPU|GetTpu|BoostedTrees|Debug|AudioMicro|FakeParam|Snapshot|Print|Assert|Abort|CheckNumerics"
)

# What a SavedModel needs besides pure operations: state of its own, control flow, tables, chance, pictures, texts.
VARIABLES = words("""
    VarHandleOp ReadVariableOp AssignVariableOp AssignAddVariableOp AssignSubVariableOp VarIsInitializedOp VariableShape
    ResourceGather ResourceGatherNd DisableCopyOnRead DestroyResourceOp Variable VariableV2 IsVariableInitialized Assign
    AssignAdd AssignSub RefIdentity RefSwitch RefMerge RefEnter RefExit RefNextIteration
""")
CONTROL_FLOW = words("""
    If StatelessIf While StatelessWhile Case StatelessCase PartitionedCall StatefulPartitionedCall Assert CheckNumerics
    CheckNumericsV2 PreventGradient Enter IteratorGetNext
""")
COLLECTIONS = words("""
    EmptyTensorList TensorListReserve TensorListFromTensor TensorListStack TensorListGetItem TensorListSetItem
    TensorListLength TensorListElementShape TensorListConcatV2 TensorListGather TensorListScatterV2 TensorListResize
    TensorListPushBack TensorListPopBack TensorListSplit TensorArrayV3 TensorArrayReadV3 TensorArrayWriteV3
    TensorArrayGatherV3 TensorArrayScatterV3 TensorArrayConcatV3 TensorArraySplitV3 TensorArraySizeV3
    TensorArrayCloseV3 TensorArrayGradV3 RaggedTensorToTensor
""")
TABLES = words("""
    HashTable HashTableV2 MutableHashTableV2 AnonymousHashTable AnonymousMutableHashTable InitializeTable
    InitializeTableV2 InitializeTableFromTextFile InitializeTableFromTextFileV2 LookupTableFind LookupTableFindV2
    LookupTableSize LookupTableSizeV2 LookupTableInsertV2 LookupTableExportV2 LookupTableImportV2
""")
CHANCE = words("""
    RandomUniform RandomUniformInt RandomStandardNormal RandomShuffle RandomGamma TruncatedNormal Multinomial
    NonDeterministicInts RngReadAndSkip RngSkip StatefulUniform StatefulUniformInt StatefulUniformFullInt
    StatefulStandardNormalV2 StatefulTruncatedNormal StatelessRandomGetAlg SampleDistortedBoundingBoxV2
""")
PICTURES_AND_TEXTS = words("""
    DecodeJpeg DecodePng DecodeBmp DecodeImage DecodeAndCropJpeg DecodeRaw DecodeBase64 ExtractJpegShape EncodeJpeg
    EncodePng ExtractGlimpse ExtractGlimpseV2 ParseExample ParseExampleV2 ParseSingleExample AsString StringJoin
    StringSplit StringSplitV2 StringStrip StringLower StringUpper StringLength StringToNumber StringToHashBucketFast
    StringFormat Substr ReduceJoin RegexReplace StaticRegexReplace RegexFullMatch StaticRegexFullMatch
""")
TRAINING = re.compile(r"(Sparse|Resource|ResourceSparse)?Apply[A-Z][A-Za-z0-9]+|CudnnRNN[A-Za-z0-9]*")


def members(spaces, wanted):
    """Names in the public modules of both Keras versions whose objects are `wanted`."""
    for library in (keras, tf_keras):
        for space in spaces:
            module = library
            for part in space.split("."):
                module = getattr(module, part, None)
            yield from (n for n, o in vars(module or object).items() if wanted(o) and not n.startswith("_"))


def classes():
    """Layers and what configures them, and what a compiled inner model names."""
    return set(members(OBJECT_SPACES + TRAINING_SPACES, inspect.isclass)) - set(REFUSED_CLASSES) | set(MODEL_CLASSES)


def functions():
    """Activations, losses and metrics."""
    found = set(members(("activations", "losses", "metrics"), inspect.isfunction))
    return found - {"get", "serialize", "deserialize"}


def operations():
    """Keras 3's operations on tensors that take no function, as `module.Class`."""
    for name in ("numpy", "nn", "math", "image", "linalg"):
        for inner, found in vars(importlib.import_module(f"keras.src.ops.{name}")).items():
            if inspect.isclass(found) and issubclass(found, Operation) and found is not Operation:
                yield f"{name}.{inner}"
    yield from (f"core.{name}" for name in CORE_OPERATIONS)


def tensorflow_functions():
    """Names under which TensorFlow exports pure functions; `TFOpLambda` layers call them."""
    plain = [f"{space}{n}" for space in ("", "math.", "linalg.", "dtypes.") for n in ARITHMETIC + REDUCTIONS + SHAPES]
    plain += [f"nn.{name}" for name in NETWORKS] + [f"image.{name}" for name in PICTURES]
    plain += [f"compat.v1.{name}" for name in plain]
    plain += [f"__operators__.{name}" for name in OPERATORS] + [f"keras.backend.{name}" for name in BACKEND]
    plain += [f"keras.activations.{name}" for name in functions()]
    return {name for name in plain if tf_export.get_symbol_from_name(name) is not None}


def registered():
    """Every graph operation that TensorFlow knows."""
    registry = op_def_pb2.OpList()
    registry.ParseFromString(pywrap_tf_session.TF_GetBuffer(pywrap_tf_session.TF_GetAllOpList()))
    return registry.op


def graph_operations():
    """TensorFlow's graph operations that only turn numbers into numbers."""
    return {op.name for op in registered() if is_pure(op)}


def saved_model_operations():
    """These, and what a network with a state of its own needs; none of them reads, writes or runs anything else."""
    known = {op.name for op in registered()}
    more = VARIABLES + CONTROL_FLOW + COLLECTIONS + TABLES + CHANCE + PICTURES_AND_TEXTS
    if unknown := set(more) - known:
        raise SystemExit(f"TensorFlow has no {', '.join(sorted(unknown))}")
    return graph_operations() | set(more) | {name for name in known if TRAINING.fullmatch(name)}


def is_pure(op):
    """No state, no text, handle or function goes in or out, and no text attribute could name a file."""
    elsewhere = {types_pb2.DT_STRING, types_pb2.DT_RESOURCE, types_pb2.DT_VARIANT}
    arguments = [*op.input_arg, *op.output_arg]
    if op.is_stateful or op.name.startswith("_") or UNWANTED.match(op.name) or any(a.is_ref for a in arguments):
        return False
    if any(a.type in elsewhere for a in arguments):
        return False
    kinds = {(a.type, a.name) for a in op.attr if a.type in ("string", "list(string)", "func", "list(func)")}
    return all(kind == "string" and name in HARMLESS_TEXT for kind, name in kinds)


def main():
    """Write the lists, one name a line: differences read well."""
    makers = (classes, functions, operations, tensorflow_functions, graph_operations, saved_model_operations)
    lists = {maker.__name__: sorted(set(maker())) for maker in makers}
    TARGET.write_text(json.dumps(lists, indent=0) + "\n")
    print(f"TensorFlow {tf.__version__}, Keras {keras.__version__}, tf-keras {tf_keras.__version__}")
    print(", ".join(f"{len(names)} {name}" for name, names in lists.items()))


if __name__ == "__main__":
    main()
